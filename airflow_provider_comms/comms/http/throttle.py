"""
One throttle per connection in a process: a 429 to one caller slows all of them, whatever thread or loop they are on.

A 429 blocks all requests for as long as the server asks. Then one request goes ahead as a probe; once it is answered,
the others follow one by one, with a gap that each further 429 doubles and each success narrows.
"""

from __future__ import annotations

import os
import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_GAP = 0.05
MAX_GAP = 5.0
GAP_SHRINK = 0.8
NEGLIGIBLE_GAP = 0.005
PROBE_TIMEOUT = 5.0
"""Seconds after which another probe goes if the first one has not been answered."""
PROBE_CHECK = 0.02
"""Seconds after which to ask again while a probe is under way."""
LAST_CHANCE_GAP = 1.0
"""Seconds between requests that may pass although the throttle is blocked."""
_LONG_AGO = float("-inf")


class Throttle:
    """
    Says when the next request may be sent. Times in seconds.

    :param clock: a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._blocked_at = _LONG_AGO
        self._open_at = _LONG_AGO
        self._gap = 0.0
        self._needs_probe = False
        self._probe_at: float | None = None
        self._last_chance_at = _LONG_AGO

    def try_acquire(self, *, last_chance: bool = False) -> float:
        """
        Return 0 if the caller may send now; else the seconds after which to ask again.

        :param last_chance: the caller cannot wait: it may pass although the throttle is blocked, unless another one
            did less than `LAST_CHANCE_GAP` ago.
        """
        with self._lock:
            now = self._clock()
            if now < self._open_at:
                return self._last_chance(now) if last_chance else self._delay(now)
            if self._needs_probe:
                self._probe_at, self._open_at = now, now + PROBE_TIMEOUT
            elif self._gap:
                self._open_at = now + self._gap
            return 0.0

    def _delay(self, now: float) -> float:
        delay = self._open_at - now
        return delay if self._probe_at is None else min(delay, PROBE_CHECK)

    def _last_chance(self, now: float) -> float:
        if now < self._last_chance_at:
            return min(self._delay(now), self._last_chance_at - now)
        self._last_chance_at = now + LAST_CHANCE_GAP
        return 0.0

    def block(self, sent_at: float, seconds: float) -> None:
        """
        Record a 429.

        :param sent_at: when its request was sent, by the throttle's clock. 429s to requests that were sent before
            the last block count as one: they widen the gap once.
        :param seconds: how long nobody may send.
        """
        with self._lock:
            now = self._clock()
            if sent_at >= self._blocked_at:
                self._gap = min(MAX_GAP, max(MIN_GAP, self._gap * 2))
                self._blocked_at = now
            # The probe was refused, or another one will be sent: the next one is a gap away.
            until = self._open_at if self._probe_at is None else now + self._gap
            self._open_at = max(until, now + seconds)
            self._needs_probe, self._probe_at = True, None

    def record_success(self, sent_at: float) -> None:
        """
        Record a response that was not a 429.

        :param sent_at: when its request was sent, by the throttle's clock.
        """
        if not self._gap:
            return
        with self._lock:
            if self._needs_probe and (self._probe_at is None or sent_at < self._probe_at):
                return  # Sent before the block, or past it: it does not tell whether the API takes more again.
            self._gap = self._gap * GAP_SHRINK if self._gap > NEGLIGIBLE_GAP else 0.0
            if self._needs_probe:
                self._needs_probe, self._probe_at = False, None
                self._open_at = self._clock() + self._gap

    @property
    def is_pacing(self) -> bool:
        """Whether requests are blocked, or follow each other with a gap."""
        return self._gap > 0

    def renew_lock(self) -> None:
        """Replace the lock, which may be held by a thread that does not exist: for a process just forked."""
        self._lock = threading.Lock()


_throttles: dict[tuple[str, str], Throttle] = {}


def _renew_locks() -> None:
    # A lock that another thread held when the process forked would never be released in the child.
    for throttle in _throttles.values():
        throttle.renew_lock()


os.register_at_fork(after_in_child=_renew_locks)


def shared_throttle(base_url: str, username: str) -> Throttle:
    """Return the throttle of a connection: the same object for every client of it in this process."""
    return _throttles.setdefault((base_url, username), Throttle())

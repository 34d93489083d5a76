"""
One gate per connection in a process: a 429 to one caller slows all of them, whatever thread or loop they live in.

A 429 shuts the gate for as long as the server wishes. When it opens, callers pass one by one with a gap between
them that each further 429 doubles and each success narrows, so that those who waited together do not storm it.
"""

from __future__ import annotations

import os
import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_GAP = 0.05
WIDEST_GAP = 5.0
NARROWER = 0.8
NO_GAP_BELOW = 0.005


class Throttle:
    """
    Says when the next request may leave. Times in seconds.

    :param clock: a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._shut_at = float("-inf")
        self._open_at = float("-inf")
        self._gap = 0.0

    def delay(self) -> float:
        """Return 0 if the caller may send now, and take its turn; else how long to wait before asking again."""
        with self._lock:
            now = self._clock()
            if now < self._open_at:
                return self._open_at - now
            if self._gap:
                self._open_at = now + self._gap
            return 0.0

    def shut(self, sent_at: float, seconds: float) -> None:
        """
        Note a 429.

        :param sent_at: when its request left, by the gate's clock. Refusals of requests that left before the
            gate was last shut are one refusal: they widen the gap once.
        :param seconds: how long nobody may pass.
        """
        with self._lock:
            now = self._clock()
            if sent_at >= self._shut_at:
                self._gap = min(WIDEST_GAP, max(FIRST_GAP, self._gap * 2))
                self._shut_at = now
            self._open_at = max(self._open_at, now + seconds)

    def renew_lock(self) -> None:
        """Forget who holds the lock: for a process that has just been forked and has one thread."""
        self._lock = threading.Lock()

    def passed(self) -> None:
        """Note an answer that was no 429."""
        if self._gap:
            with self._lock:
                self._gap = self._gap * NARROWER if self._gap > NO_GAP_BELOW else 0.0


_gates: dict[tuple[str, str], Throttle] = {}


def _renew_locks() -> None:
    # A lock that another thread held when the process forked would never be released in the child.
    for gate in _gates.values():
        gate.renew_lock()


os.register_at_fork(after_in_child=_renew_locks)


def shared_throttle(base_url: str, username: str) -> Throttle:
    """Return the gate of a connection: the same object for every client of it in this process."""
    return _gates.setdefault((base_url, username), Throttle())

"""
A wait for operations, look after look: the same object in a worker's poke and in the triggerer.

Whoever waits looks at the API in its own way (blocking or not) and notes what it saw; the wait says what that
means, when to look again, and what belongs in the log.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_comms.comms.errors import CommsError, CommsNotFoundError
from airflow_provider_comms.comms.models import Operation
from airflow_provider_comms.comms.resource import RETENTION_DAYS, OperationStatus, Resource
from airflow_provider_comms.waiting.clock import SteadyClock
from airflow_provider_comms.waiting.outcome import (
    Failed,
    Finished,
    Policy,
    Skipped,
    Verdict,
    Waiting,
    event_of,
    judge,
    operation_xcom,
    state_text,
)
from airflow_provider_comms.waiting.pace import longest_interval, next_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WAITING = Waiting()


class Log(Protocol):
    """What takes a line, as a logger does."""

    def log(self, level: int, message: str, /, *args: object) -> None:
        """Write a line."""


MOST_NAMED = 5
"""Pending operations that a line names."""
HEARTBEAT = 300.0
"""Seconds between two lines in the log while nothing changes."""


@dataclass(kw_only=True)
class Wait:
    """
    What is known of the operations that are waited for.

    :param resource: kind of all of them.
    :param operation_ids: ids, in the order of the result.
    :param policy: what their ends mean.
    :param poke_interval: seconds between two looks.
    :param started_at: seconds since the epoch.
    :param timeout: seconds from then on.
    :param log: the task's own.
    :param log_completion: whether an operation's end is logged here; else the worker that resumes does it.
    :param grace: seconds from the start in which an operation that was just made may still be unknown to the API,
        and in which an answer that is not the API's means that the connection leads to the wrong place.
    :param adaptive: see `pace.next_interval`.
    :param looks: how often was looked already, by processes before this one.
    :param now: the clock, in seconds since the epoch.

    `pending` holds the ids that have not ended yet, as far as we know, `seen` what was last seen of each.
    """

    resource: Resource
    operation_ids: Sequence[str]
    policy: Policy
    poke_interval: float
    started_at: float
    timeout: float
    log: Log
    grace: float
    log_completion: bool = True
    adaptive: bool = False
    looks: int = 0
    now: Callable[[], float] = field(default_factory=SteadyClock)
    pending: list[str] = field(init=False)
    seen: dict[str, Operation] = field(default_factory=dict)
    _verdicts: dict[str, Verdict] = field(default_factory=dict)
    _trouble: CommsError | None = None
    _last_line: float = 0.0

    def __post_init__(self) -> None:
        self.pending = list(dict.fromkeys(self.operation_ids))
        # Another machine wrote it down, whose clock may be ahead of ours.
        self.started_at = min(self.started_at, self.now())

    def look(self, seen: Mapping[str, Operation | CommsError], now: float, looks: int = 1) -> Verdict:
        """
        Take in a look at the pending operations, and say what all that was seen comes to.

        :param seen: by id, what the API answered, or why it did not.
        :param now: seconds since the epoch.
        :param looks: how many looks it stands for; all but the last showed nothing new.
        """
        self.looks += looks
        for operation_id, found in seen.items():
            self._note(operation_id, found, now)
        self.pending = [one for one in self.pending if isinstance(self._verdicts.get(one, WAITING), Waiting)]
        return self._verdict(now)

    def _note(self, operation_id: str, seen: Operation | CommsError, now: float) -> None:
        if isinstance(seen, Operation):
            self._note_operation(seen, now)
        else:
            self._note_error(operation_id, seen, now)

    def _note_operation(self, operation: Operation, now: float) -> None:
        before = self.seen.get(operation.id)
        if operation is before and self._trouble is None:
            return
        self.seen[operation.id] = operation
        self._verdicts[operation.id] = judge(operation, self.policy)
        if self._trouble is not None:
            self._line(logging.INFO, now, "The Comms API answers again.")
        self._trouble = None
        is_news = before is None or (before.status, before.stats) != (operation.status, operation.stats)
        if is_news and (self.log_completion or not operation.is_terminal):
            self._line(logging.INFO, now, self._state_of(operation))
        if not isinstance(operation.status, OperationStatus) and (before is None or before.status != operation.status):
            self._line(
                logging.WARNING,
                now,
                f"{operation.id} has the status {operation.status!r}, which this version does not know. "
                "It is not taken for an end; the wait goes on.",
            )

    def _note_error(self, operation_id: str, error: CommsError, now: float) -> None:
        if not self._may_pass(operation_id, error, now):
            self._verdicts[operation_id] = Failed("refused", f"{error}{self._retention(operation_id, error, now)}")
            return
        if type(error) is not type(self._trouble):
            self._line(logging.WARNING, now, f"No state to be had; the wait goes on. {error}")
        self._trouble = error

    def _may_pass(self, operation_id: str, error: CommsError, now: float) -> bool:
        is_early = now - self.started_at < self.grace and operation_id not in self.seen
        if isinstance(error, CommsNotFoundError):
            return is_early
        if error.wrong_endpoint:
            return not is_early
        return error.transient

    def _retention(self, operation_id: str, error: CommsError, now: float) -> str:
        """Say how old a record was that is gone now."""
        operation = self.seen.get(operation_id)
        if operation is None or not isinstance(error, CommsNotFoundError):
            return ""
        days = (now - operation.created_at.timestamp()) / 86_400
        return (
            f"\n  note: it was seen before as {operation.status}, and was created {days:.1f} days ago. "
            f"Twilio deletes the record after {RETENTION_DAYS} days."
        )

    def _verdict(self, now: float) -> Verdict:
        """Return Waiting until every operation has ended or one has failed."""
        verdicts = self._verdicts.values()
        if failed := next((one for one in verdicts if isinstance(one, Failed)), None):
            return failed
        if self.pending:
            return self._still(now) if self.remaining(now) else self._overdue()
        if skipped := next((one for one in verdicts if isinstance(one, Skipped)), None):
            return skipped
        warnings = [one.warning for one in verdicts if isinstance(one, Finished) and one.warning]
        return Finished("; ".join(warnings) or None)

    def _overdue(self) -> Failed:
        states = self._states()
        trouble = f" The last look had no answer: {self._trouble}" if self._trouble else ""
        return Failed(
            "timeout",
            f"Waited {self.timeout:.0f} s, looked {self.looks} times, and did not see the end: {states}.{trouble}",
        )

    def _still(self, now: float) -> Waiting:
        if now - self._last_line >= HEARTBEAT:
            self._line(logging.INFO, now, f"Still waiting after {now - self.started_at:.0f} s: {self._states()}.")
        return WAITING

    def delay(self, now: float) -> float:
        """
        Return the seconds until the next look: the interval, or longer if the API wishes so; never past the end.

        :param now: seconds since the epoch.
        """
        interval = self.poke_interval
        if self.adaptive:
            interval = next_interval(interval, [self.seen[one] for one in self.pending if one in self.seen], now)
        wished = (self._trouble and self._trouble.retry_after) or 0.0
        return min(max(interval, wished), self.remaining(now))

    def delay_until(self, moment: float, now: float) -> float:
        """
        Return the seconds until a look that another machine has planned; no more than ever lie between two looks.

        :param moment: seconds since the epoch, by the other machine's clock.
        :param now: seconds since the epoch.
        """
        return min(max(0.0, moment - now), longest_interval(self.poke_interval), self.remaining(now))

    def unchanged_for(self, now: float) -> float:
        """Return for how many seconds a look that shows nothing new would change nothing here, nor in the log."""
        if self.adaptive or self._trouble:
            return 0.0
        return min(self._last_line + HEARTBEAT - now, self.remaining(now) - self.poke_interval)

    def remaining(self, now: float) -> float:
        """Return the seconds until the wait is given up."""
        return max(0.0, self.started_at + self.timeout - now)

    def event(self, verdict: Verdict) -> dict[str, Any]:
        """Return a verdict and what was seen as plain JSON: what the triggerer sends back to the task."""
        return event_of(verdict, [self.seen[one] for one in self.operation_ids if one in self.seen])

    def _states(self) -> str:
        """Say what is known of the pending ones; of some of them where they are many."""
        states = "; ".join(self._last_known(one) for one in self.pending[:MOST_NAMED])
        more = len(self.pending) - MOST_NAMED
        return f"{states}; and {more} more" if more > 0 else states

    def _last_known(self, operation_id: str) -> str:
        operation = self.seen.get(operation_id)
        return self._state_of(operation) if operation else f"{operation_id} was not seen yet"

    def _state_of(self, operation: Operation) -> str:
        return state_text(operation_xcom(operation))

    def _line(self, level: int, now: float, text: str) -> None:
        self._last_line = now
        self.log.log(level, "%s", text)

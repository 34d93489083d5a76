"""
A wait for operations, look after look: the same object in a worker's poke and in the triggerer.

Whoever waits looks at the API in its own way (blocking or not) and notes what it saw; the wait says what that
means, when to look again, and what belongs in the log.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.errors import CommsError, CommsNotFoundError, CommsProtocolError
from airflow_provider_comms.comms.models import Operation
from airflow_provider_comms.comms.resource import OperationStatus, Resource
from airflow_provider_comms.outcome import (
    Failed,
    Finished,
    Policy,
    Skipped,
    Verdict,
    Waiting,
    counters_text,
    judge,
    operation_xcom,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

GRACE = 30.0
"""Seconds from the start of a wait in which an operation that was just made may still be unknown to the API."""
GARBLED_IN_A_ROW = 5
"""Answers in a row that are not the API's before a wait gives up: a portal may stand between for a while."""
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
    """

    resource: Resource
    operation_ids: Sequence[str]
    policy: Policy
    poke_interval: float
    started_at: float
    timeout: float
    log: logging.Logger
    looks: int = 0
    _seen: dict[str, Operation] = field(default_factory=dict)
    _verdicts: dict[str, Verdict] = field(default_factory=dict)
    _trouble: CommsError | None = None
    _garbled: int = 0
    _last_line: float = 0.0

    @property
    def pending(self) -> list[str]:
        """Ids that have not ended yet, as far as we know."""
        unique = dict.fromkeys(self.operation_ids)
        return [one for one in unique if isinstance(self._verdicts.get(one, Waiting()), Waiting)]

    def note(self, operation_id: str, seen: Operation | CommsError, now: float) -> None:
        """
        Take in one look at one operation.

        :param seen: what the API answered, or why it did not.
        :param now: seconds since the epoch.
        """
        self.looks += 1
        if isinstance(seen, Operation):
            self._note_operation(seen, now)
        else:
            self._note_error(operation_id, seen, now)

    def _note_operation(self, operation: Operation, now: float) -> None:
        before = self._seen.get(operation.id)
        self._seen[operation.id] = operation
        self._verdicts[operation.id] = judge(operation, self.policy)
        if self._trouble is not None:
            self._line(logging.INFO, now, "The Comms API answers again.")
        self._trouble, self._garbled = None, 0
        if before is None or (before.status, before.stats) != (operation.status, operation.stats):
            self._line(logging.INFO, now, self._state_of(operation))
        if not isinstance(operation.status, OperationStatus) and (before is None or before.status != operation.status):
            self._line(
                logging.WARNING,
                now,
                f"{operation.id} has the status {operation.status!r}, which this version does not know. "
                "It is not taken for an end; the wait goes on.",
            )

    def _note_error(self, operation_id: str, error: CommsError, now: float) -> None:
        self._garbled = self._garbled + 1 if isinstance(error, CommsProtocolError) else 0
        if not self._may_pass(operation_id, error, now):
            self._verdicts[operation_id] = Failed("refused", str(error))
            return
        if type(error) is not type(self._trouble):
            self._line(logging.WARNING, now, f"No state to be had; the wait goes on. {error}")
        self._trouble = error

    def _may_pass(self, operation_id: str, error: CommsError, now: float) -> bool:
        if isinstance(error, CommsNotFoundError):
            return operation_id not in self._seen and now - self.started_at < GRACE
        if isinstance(error, CommsProtocolError):
            return self._garbled < GARBLED_IN_A_ROW
        return error.transient

    def verdict(self, now: float) -> Verdict:
        """
        Return what all that was seen comes to: Waiting until every operation has ended or one has failed.

        :param now: seconds since the epoch.
        """
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
        states = "; ".join(self._last_known(one) for one in self.pending)
        trouble = f" The last look had no answer: {self._trouble}" if self._trouble else ""
        return Failed(
            "timeout",
            f"Waited {self.timeout:.0f} s, looked {self.looks} times, and did not see the end: {states}.{trouble}",
        )

    def _still(self, now: float) -> Waiting:
        if now - self._last_line >= HEARTBEAT:
            states = "; ".join(self._last_known(one) for one in self.pending)
            self._line(logging.INFO, now, f"Still waiting after {now - self.started_at:.0f} s: {states}.")
        return Waiting()

    def delay(self, now: float) -> float:
        """
        Return the seconds until the next look: the interval, or longer if the API wishes so; never past the end.

        :param now: seconds since the epoch.
        """
        wished = (self._trouble and self._trouble.retry_after) or 0.0
        return min(max(self.poke_interval, wished), self.remaining(now))

    def remaining(self, now: float) -> float:
        """Return the seconds until the wait is given up."""
        return max(0.0, self.started_at + self.timeout - now)

    def event(self, verdict: Verdict) -> dict[str, Any]:
        """Return a verdict and what was seen as plain JSON: what the triggerer sends back to the task."""
        return {
            "verdict": type(verdict).__name__.lower(),
            "reason": getattr(verdict, "reason", None),
            "message": getattr(verdict, "message", None) or getattr(verdict, "warning", None),
            "operations": [operation_xcom(self._seen[one]) for one in self.operation_ids if one in self._seen],
        }

    def _last_known(self, operation_id: str) -> str:
        operation = self._seen.get(operation_id)
        return self._state_of(operation) if operation else f"{operation_id} was not seen yet"

    def _state_of(self, operation: Operation) -> str:
        return f"{self.resource.value} operation {operation.id} is {operation.status}: {counters_text(operation)}"

    def _line(self, level: int, now: float, text: str) -> None:
        self._last_line = now
        self.log.log(level, "%s", text)

"""
A wait for operations, poll after poll: the same object in a worker's poke and in the triggerer.

The caller asks the API in its own way (blocking or not) and passes the results in; the wait decides what they mean and
when to poll again, and writes the log.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from airflow_provider_comms.comms.errors import CommsNotFoundError, CommsRecordError
from airflow_provider_comms.comms.models import Operation
from airflow_provider_comms.comms.resource import RETENTION_DAYS, OperationStatus
from airflow_provider_comms.waiting.clock import SteadyClock
from airflow_provider_comms.waiting.description import shown_status, states_of
from airflow_provider_comms.waiting.event import WaitEnd
from airflow_provider_comms.waiting.pace import longest_interval, next_interval
from airflow_provider_comms.waiting.payload import operation_xcom
from airflow_provider_comms.waiting.progress_log import HEARTBEAT, Log, ProgressLog
from airflow_provider_comms.waiting.targets import other_resource, wrong_resource
from airflow_provider_comms.waiting.verdict import Failed, Finished, Skipped, Waiting, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.waiting.spec import WaitSpec
    from airflow_provider_comms.waiting.targets import Targets
    from airflow_provider_comms.waiting.verdict import End, Verdict
    from airflow_provider_comms.xcoms import OperationXCom


class Ask(Protocol):
    """Asks the API for operations and blocks until each has an answer or an error."""

    def __call__(
        self, resource: Resource, ids: Sequence[str], *, last_chance: bool = False
    ) -> Mapping[str, Operation | CommsError]:
        """
        Return by id the operation, or the error in its place.

        :param last_chance: it is the last poll before the deadline; see `CommsClient.with_options`.
        """


WAITING = Waiting()
EARLY = 0.05
"""Seconds by which a poll may come early: clocks and timers are not exact."""
MAX_ASKED_ELSEWHERE = 32
"""Unknown ids per poll that are looked up at the other resource; more of them follow with the next polls."""
MAX_AHEAD = 3600.0
"""Seconds; a later time in a trigger row comes from a clock ahead of ours, and is ignored."""


@dataclass(kw_only=True)
class Wait:
    """
    What is known of the operations that are waited for. An error of one does not affect the others.

    :param targets: what is waited for.
    :param spec: how.
    :param started_at: seconds since the epoch.
    :param log: the task's own.
    :param polls: how many there were in earlier processes.
    :param retry_at: by id, the earliest next request, in seconds since the epoch: its Retry-After.
    :param now: the clock, in seconds since the epoch.

    `pending` holds the ids that have not ended yet, as far as we know, `seen` what was last seen of each.
    """

    targets: Targets
    spec: WaitSpec
    started_at: float
    log: Log
    polls: int = 0
    retry_at: dict[str, float] = field(default_factory=dict)
    now: Callable[[], float] = field(default_factory=SteadyClock)
    pending: list[str] = field(init=False)
    seen: dict[str, Operation] = field(default_factory=dict)
    unknown_ids: list[str] = field(default_factory=list)
    """Ids that the API does not know as of this resource, each of them once; see :meth:`note_elsewhere`."""
    _verdicts: dict[str, Verdict] = field(default_factory=dict)
    _errors: dict[str, CommsError] = field(default_factory=dict)
    _asked_elsewhere: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.pending = list(dict.fromkeys(self.targets.ids))
        # It comes from another machine, whose clock may be ahead of ours.
        self.started_at = min(self.started_at, self.now()) if math.isfinite(self.started_at) else self.now()
        now = self.now()
        self.retry_at = {one: at for one, at in self.retry_at.items() if at - now <= MAX_AHEAD}
        self._progress = ProgressLog(self.log, self.targets, self.started_at)

    def poll(self, ask: Ask) -> Verdict:
        """
        Poll once, blocking, and return the verdict on all that was seen.

        :param ask: gives by id the operation, or the error in its place.
        """
        resource, now = self.targets.resource, self.now()
        verdict = self.update(ask(resource, self.due(now), last_chance=self.is_last_poll(now)), self.now())
        if self.unknown_ids:
            verdict = self.note_elsewhere(ask(other_resource(resource), self.unknown_ids), self.now())
        return verdict

    def update(self, found: Mapping[str, Operation | CommsError], now: float, polls: int = 1) -> Verdict:
        """
        Take in a poll of pending operations, and return the verdict on all that was seen.

        :param found: by id, the operation or the error in its place.
        :param now: seconds since the epoch.
        :param polls: how many polls it sums up; all but the last showed nothing new.
        """
        self.polls += polls
        for operation_id, one in found.items():
            if isinstance(one, Operation):
                self._note_operation(operation_id, one, now)
            else:
                self._note_error(operation_id, one, now)
        self.pending = [one for one in self.pending if isinstance(self._verdicts.get(one, WAITING), Waiting)]
        verdict = self._verdict(now)
        if isinstance(verdict, Waiting):
            self._progress.errors(self._errors, now)
            self._progress.progress(self.seen, len(set(self.targets.ids)) - len(self.pending), now)
        return verdict

    def _note_operation(self, operation_id: str, operation: Operation, now: float) -> None:
        self._errors.pop(operation_id, None)
        self.retry_at.pop(operation_id, None)
        before = self.seen.get(operation_id)
        if operation is before:  # The poll hands out the known object again while nothing has changed.
            return
        self.seen[operation_id] = operation
        self._verdicts[operation_id] = judge(operation, self.spec)
        is_known = isinstance(operation.status, OperationStatus)
        if not is_known and (before is None or before.status != operation.status):
            self._progress.unknown_status(operation, now)

    def _note_error(self, operation_id: str, error: CommsError, now: float) -> None:
        if isinstance(error, CommsNotFoundError) and operation_id not in self.seen:
            self._note_unknown(operation_id)
        if not self._may_pass(operation_id, error, now):
            self._verdicts[operation_id] = Failed("refused", f"{error}{self._retention(operation_id, error, now)}")
            return
        self._errors[operation_id] = error
        self.retry_at[operation_id] = now + (error.retry_after or 0.0)

    def _note_unknown(self, operation_id: str) -> None:
        if operation_id not in self._asked_elsewhere and len(self.unknown_ids) < MAX_ASKED_ELSEWHERE:
            self.unknown_ids.append(operation_id)
            self._asked_elsewhere.add(operation_id)

    def note_elsewhere(self, found: Mapping[str, Operation | CommsError], now: float) -> Verdict:
        """
        Take in what the other resource has for `unknown_ids`; they are looked up there once.

        :param found: by id, the operation or the error in its place.
        :return: Failed if one of the operations is there, else as :meth:`update`.
        """
        self.unknown_ids = []
        for operation_id, one in found.items():
            if isinstance(one, Operation):
                # Before the 404 of any other id: it says what to do.
                self._verdicts.pop(operation_id, None)
                self._verdicts = {operation_id: Failed("refused", wrong_resource(one)), **self._verdicts}
                self._errors.pop(operation_id, None)
        return self._verdict(now)

    def _may_pass(self, operation_id: str, error: CommsError, now: float) -> bool:
        is_early = now - self.started_at < self.spec.grace and operation_id not in self.seen
        if isinstance(error, CommsNotFoundError):
            return is_early
        if error.wrong_endpoint:
            return not is_early
        # A record that cannot be read may be readable later.
        return error.transient or isinstance(error, CommsRecordError)

    def _retention(self, operation_id: str, error: CommsError, now: float) -> str:
        """Say how old a deleted record was."""
        operation = self.seen.get(operation_id)
        if operation is None or not isinstance(error, CommsNotFoundError):
            return ""
        days = (now - operation.created_at.timestamp()) / 86_400
        return (
            f"\n  note: it was seen before as {shown_status(operation.status)}, and was created {days:.1f} days ago. "
            f"Twilio deletes the record after {RETENTION_DAYS} days."
        )

    def _verdict(self, now: float) -> Verdict:
        """Return Waiting until every operation has ended or one has failed."""
        verdicts = self._verdicts.values()
        if failed := next((one for one in verdicts if isinstance(one, Failed)), None):
            return failed
        if self.pending:
            return WAITING if self.remaining(now) else self.overdue()
        if skipped := next((one for one in verdicts if isinstance(one, Skipped)), None):
            return skipped
        warnings = [one.warning for one in verdicts if isinstance(one, Finished) and one.warning]
        return Finished("; ".join(warnings) or None)

    def overdue(self) -> Failed:
        """Return the verdict of a wait that is given up."""
        count, left = len(set(self.targets.ids)), len(self.pending)
        which = "the operation has" if count == 1 else f"{left:,} of {count:,} operations have"
        times = "once" if self.polls == 1 else f"{self.polls:,} times"
        error = next(iter(self._errors.values()), None)
        return Failed(
            "timeout",
            f"Waited {self.spec.timeout:.0f} s, polled {times}; {which} not finished: "
            f"{states_of(self.pending, self.seen)}.{f' Last error: {error}' if error else ''}",
        )

    def due(self, at: float) -> list[str]:
        """
        Return the pending ids that a poll may ask for: those whose Retry-After has passed; at the deadline, all.

        :param at: when the poll is, in seconds since the epoch.
        """
        if not self.retry_at or self.is_last_poll(at):
            return self.pending
        return [one for one in self.pending if self.retry_at.get(one, 0.0) <= at + EARLY]

    def is_last_poll(self, at: float) -> bool:
        """Whether a poll at a time is the last before the wait is given up."""
        return self.remaining(at) <= EARLY

    def delay(self, now: float) -> float:
        """
        Return the seconds until the next poll: the interval, or longer if the API asks for it; never past the deadline.

        :param now: seconds since the epoch.
        """
        first = min((self.retry_at.get(one, 0.0) for one in self.pending), default=0.0)
        return min(max(self._interval(now), first - now), self.remaining(now))

    def _interval(self, now: float) -> float:
        if not self.spec.adaptive:
            return self.spec.poke_interval
        pending = [self.seen[one] for one in self.pending if one in self.seen]
        return next_interval(self.spec.poke_interval, pending, now)

    def delay_until(self, planned: float, now: float) -> float:
        """
        Return the seconds until a poll that another machine has planned; at most the longest interval.

        :param planned: seconds since the epoch, by the other machine's clock.
        :param now: seconds since the epoch.
        """
        return min(max(0.0, planned - now), longest_interval(self.spec.poke_interval), self.remaining(now))

    def unchanged_for(self, now: float) -> float:
        """Return for how many seconds a poll that shows nothing new would change nothing here, nor in the log."""
        if self.spec.adaptive or self._errors:
            return 0.0
        return min(self._progress.last_line + HEARTBEAT - now, self.remaining(now) - self.spec.poke_interval)

    def remaining(self, now: float) -> float:
        """Return the seconds until the wait is given up."""
        return max(0.0, self.started_at + self.spec.timeout - now)

    def operations(self) -> list[OperationXCom]:
        """Return the XCom of each operation that was seen, in the order of the ids."""
        return [operation_xcom(self.seen[one]) for one in self.targets.ids if one in self.seen]

    def end(self, verdict: End, now: float) -> WaitEnd:
        """Return the end of the wait, with all that was seen."""
        return WaitEnd(
            verdict=verdict,
            operations=self.operations(),
            is_list=self.targets.is_list,
            waited=round(now - self.started_at, 1),
            resource=self.targets.resource.value,
        )

"""What a wait writes to the task's log: a line only when something has changed, with the change first."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_comms.reports.sentences import delivery, progress
from airflow_provider_comms.waiting.description import shown_status, state_of
from airflow_provider_comms.waiting.targets import label_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.waiting.targets import Targets

HEARTBEAT = 300.0
"""Seconds between two lines while a wait goes on."""


class Log(Protocol):
    """What all loggers have in common: Python's, structlog's and Airflow's own."""

    def log(self, level: int, message: str, /, *args: Any) -> Any:
        """Write a line."""


@dataclass
class ProgressLog:
    """
    Writes what is worth a line: each tenth of the progress, a new status, errors and their end, a heartbeat.

    :param log: the task's own.
    :param targets: what is waited for.
    :param started_at: seconds since the epoch.
    """

    log: Log
    targets: Targets
    started_at: float
    last_line: float = 0.0
    _last_step: tuple[str, int] = ("", -1)
    _warned: dict[str, tuple[type[CommsError], float]] = field(default_factory=dict)
    _logged_errors: dict[str, CommsError] = field(default_factory=dict)

    def progress(self, seen: Mapping[str, Operation], ended: int, now: float) -> None:
        """
        Write the progress, if there is any since the last line.

        :param seen: the last state of each operation.
        :param ended: how many of the ids have ended.
        """
        if not seen:
            return
        step = self._step(seen, ended)
        is_news = step[0] != self._last_step[0] or step[1] > self._last_step[1]
        if is_news or now - self.last_line >= HEARTBEAT:
            self._last_step = step
            self._line(logging.INFO, now, f"{self._state(seen, ended)}, after {now - self.started_at:.0f} s")

    def _step(self, seen: Mapping[str, Operation], ended: int) -> tuple[str, int]:
        count = len(set(self.targets.ids))
        if count > 1:
            return "", 10 * ended // count
        operation = next(iter(seen.values()))
        return str(operation.status), (progress(operation.stats.counters()) or 0) // 10

    def _state(self, seen: Mapping[str, Operation], ended: int) -> str:
        count = len(set(self.targets.ids))
        if count == 1:
            return state_of(next(iter(seen.values())))
        counters = [one.stats.counters() for one in seen.values()]
        return f"{ended:,} of {count:,} operations ended: {delivery(self.targets.resource, counters)}"

    def unknown_status(self, operation: Operation, now: float) -> None:
        """Warn of a status that this version does not know."""
        text = f"Unknown status {shown_status(operation.status)!r}: it is treated as non-terminal; still waiting"
        self._line(logging.WARNING, now, text, [operation.id])

    def errors(self, errors: Mapping[str, CommsError], now: float) -> None:
        """
        Write which operations have new errors, and which can be read again.

        :param errors: by id, the current errors.
        """
        fresh = [one for one, error in errors.items() if self._is_fresh(one, error, now)]
        for one in fresh:
            self._warned[one] = (type(errors[one]), now)
        for kind in dict.fromkeys(type(errors[one]) for one in fresh):
            self._warn([one for one in fresh if type(errors[one]) is kind], errors, now)
        if over := [one for one in self._logged_errors if one not in errors]:
            self._line(logging.INFO, now, "The status can be read again", over)
        # An error that was not logged has no end to log.
        kept = {one: error for one, error in self._logged_errors.items() if one in errors}
        self._logged_errors = kept | {one: errors[one] for one in fresh}

    def _is_fresh(self, operation_id: str, error: CommsError, now: float) -> bool:
        if operation_id in self._logged_errors:
            return type(error) is not self._warned[operation_id][0]
        kind, warned_at = self._warned.get(operation_id, (None, -HEARTBEAT))
        return type(error) is not kind or now - warned_at >= HEARTBEAT

    def _warn(self, ids: Sequence[str], errors: Mapping[str, CommsError], now: float) -> None:
        whose = "the operation's status" if len(ids) == 1 else f"the status of {len(ids):,} operations"
        self._line(logging.WARNING, now, f"Could not read {whose}; still waiting: {errors[ids[0]]}", ids)

    def _line(self, level: int, now: float, text: str, ids: Sequence[str] | None = None) -> None:
        self.last_line = now
        self.log.log(level, "%s (%s %s)", text, self.targets.resource.value, label_of(ids or self.targets.ids))

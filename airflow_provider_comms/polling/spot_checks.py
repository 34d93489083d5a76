"""Which operations to fetch although a list shows them as pending: a list may lag behind, or miss an end altogether."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.polling.limits import PollLimits


@dataclass(eq=False, slots=True)
class _Visit:
    """What the list showed of an operation when its turn last came, and for how many turns it is left alone."""

    shown: Operation | None = None
    rest: int = 0
    rest_next: int = 0


class SpotChecks:
    """
    Goes round all that are pending.

    An operation of which the list has shown something new since its last turn is not checked: the list does not lag.
    One that was confirmed is left alone for 1, 3, then 7 turns. Beside these, one is checked in each poll; twice as
    many as the last time if one had ended that the list showed as pending.
    """

    def __init__(self, limits: PollLimits) -> None:
        self._limits = limits
        self._visits: dict[str, _Visit] = {}
        self._turns: deque[str] = deque()
        self._checking: set[str] = set()
        self._sample = 1
        self._lags = False

    def choose(self, pending: Mapping[str, Operation]) -> list[str]:
        """
        Return the ids to fetch.

        :param pending: what the list shows now; an operation that has not changed is the same object as before.
        """
        for one in pending:
            if one not in self._visits:
                self._visits[one] = _Visit()
                self._turns.append(one)
        self._sample = 2 * self._sample if self._lags else 1
        self._lags = False
        due = self._due(pending, ceil(len(pending) / self._limits.check_within))
        chosen = list(dict.fromkeys(due + self._next(pending, self._sample - len(due))))
        self._checking = set(chosen)
        return chosen

    def note(self, operation_id: str, found: Operation | CommsError) -> None:
        """Take in what a fetch showed."""
        if operation_id in self._checking and not isinstance(found, CommsError):
            self._lags |= found.is_terminal

    def forget_all_but(self, kept: Collection[str]) -> None:
        """Forget what is known of other operations."""
        self._visits = {one: visit for one, visit in self._visits.items() if one in kept}
        self._turns = deque(one for one in self._turns if one in self._visits)

    def _due(self, pending: Mapping[str, Operation], turns: int) -> list[str]:
        return [one for one in self._next(pending, turns) if self._is_due(self._visits[one], pending[one])]

    def _next(self, pending: Mapping[str, Operation], number: int) -> list[str]:
        """Return whose turn it is; they are last in the queue then."""
        chosen: list[str] = []
        skipped: list[str] = []
        while self._turns and len(chosen) < number:
            one = self._turns.popleft()
            (chosen if one in pending else skipped).append(one)
        self._turns.extendleft(reversed(skipped))  # Another poll is for them.
        self._turns.extend(chosen)
        return chosen

    def _is_due(self, visit: _Visit, shown: Operation) -> bool:
        if visit.shown is not shown:
            visit.shown, visit.rest, visit.rest_next = shown, 0, 0
        elif visit.rest:
            visit.rest -= 1
        else:
            visit.rest_next = min(2 * visit.rest_next + 1, self._limits.check_rest)
            visit.rest = visit.rest_next
            return True
        return False

"""The sums of a report: of a size that does not grow with the number of operations that are folded into it."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_comms.comms.resource import OperationStatus
from airflow_provider_comms.reports.figures import no_figures
from airflow_provider_comms.reports.rates import rates, ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.reports.window import Buckets, Window
    from airflow_provider_comms.xcoms import ReportSums

_MAX_NAMES = 3
"""Statuses, and counters, that are not documented and counted by their names; the others are counted together."""
_MAX_NAME = 40
OTHER = "other"
_STATUSES = tuple(status.value for status in OperationStatus)


class Worst(NamedTuple):
    """An operation that did not reach some of its recipients; the worst is the greatest."""

    share: float
    not_reached: int
    id: str
    recipients: int
    created_at: datetime
    status: str


@dataclass
class Summary:
    """
    What became of the operations of one resource in a window.

    :param resource: kind of the operations.
    :param buckets: the parts of the window that are counted apart.
    :param top: how many of the worst operations are kept.
    """

    resource: Resource
    buckets: Buckets
    top: int
    operations: int = 0
    unfinished: int = 0
    """Operations that have not ended."""
    unreadable: str = ""
    """What could not be read, and is in none of the sums; empty if there is nothing."""
    by_status: Counter[str] = field(default_factory=Counter)
    stats: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(init=False)
    series: list[Counter[str]] = field(init=False)
    """Figures and operations of each bucket."""
    _worst: list[Worst] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.figures = Counter(no_figures(self.resource))
        self.series = [Counter() for _ in range(len(self.buckets))]

    def add(self, operation: Operation, counters: Mapping[str, int], figures: Mapping[str, int]) -> None:
        """
        Take in an operation.

        :param counters: as it reports them.
        :param figures: derived from them.
        """
        self.operations += 1
        self.unfinished += not operation.is_terminal
        _count(self.by_status, {str(operation.status): 1}, _STATUSES)
        _count(self.stats, counters, self.resource.counters)
        bucket = self.series[self.buckets.index(operation.created_at)]
        bucket["operations"] += 1
        for name, value in figures.items():
            if value:
                self.figures[name] += value
                bucket[name] += value
        if figures["not_reached"] and self.top:
            self._note_worst(operation, figures)

    def worst(self) -> list[Worst]:
        """Return the operations with the greatest share of recipients not reached, the worst first."""
        return sorted(self._worst, reverse=True)

    def rates(self) -> dict[str, float | None]:
        """Return the shares of the summed figures."""
        return rates(self.figures)

    def as_json(self) -> ReportSums:
        """Return `{"operations", "by_status", "stats", "figures", "rates"}` as plain JSON."""
        return {
            "operations": self.operations,
            "by_status": _ordered(self.by_status, _STATUSES),
            "stats": _ordered(self.stats, self.resource.counters),
            "figures": dict(self.figures),
            "rates": self.rates(),
        }

    def _note_worst(self, operation: Operation, figures: Mapping[str, int]) -> None:
        lost, recipients = figures["not_reached"], figures["recipients"]
        share = min(ratio(lost, recipients) or 0.0, 1.0)
        if len(self._worst) == self.top and (share, lost) < self._worst[0][:2]:
            return
        worst = Worst(share, lost, operation.id, recipients, operation.created_at, str(operation.status))
        if len(self._worst) < self.top:
            heapq.heappush(self._worst, worst)
        else:
            heapq.heappushpop(self._worst, worst)


@dataclass
class Summaries:
    """
    A report's sums and what is to be known of them.

    :param window: what was created in it was listed.
    :param account: who was asked, for people; the SID shortened.
    :param as_of: when it was listed.
    :param of: the sums by resource.
    :param notes: what makes them incomplete, for people.
    :param broken: the thresholds that the sums break, for people.
    """

    window: Window
    account: str
    as_of: datetime
    of: dict[Resource, Summary]
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def totals(self) -> dict[Resource, dict[str, int]]:
        """Return counters and figures by resource; empty where there are no operations."""
        return {kind: {**one.stats, **one.figures} if one.operations else {} for kind, one in self.of.items()}

    @property
    def operations(self) -> int:
        """How many operations there are, of all resources."""
        return sum(summary.operations for summary in self.of.values())


def _count(counts: Counter[str], more: Mapping[str, int], documented: Sequence[str]) -> None:
    """Add up by name; what is not documented has a limited number of names."""
    for name, value in more.items():
        if name in counts or name in documented or _has_room(counts, name, documented):
            counts[name] += value
        else:
            counts[OTHER] += value


def _has_room(counts: Counter[str], name: str, documented: Sequence[str]) -> bool:
    return len(name) <= _MAX_NAME and sum(one not in documented for one in counts) < _MAX_NAMES


def _ordered(counts: Mapping[str, int], documented: Sequence[str]) -> dict[str, int]:
    """Return counts in the documented order, then the others by name."""
    return {name: counts[name] for name in [*documented, *sorted(set(counts) - set(documented))] if name in counts}

"""
A window of time, cut into slices that can be listed side by side.

Nothing is promised about the order of a list or whether its bounds are inclusive. So neighbouring slices overlap,
what comes twice is dropped by id, and every chain of pages is walked to its end or listed anew in smaller slices.
Order is used only to guess how much a slice still holds; a wrong guess costs requests, never operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.resource import RETENTION_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.request import Query

OVERLAP = timedelta(seconds=1)
"""How far slices reach over their seams: enough for a server that reads its bounds in whole seconds."""
NARROWEST = 4 * OVERLAP


@dataclass(frozen=True, slots=True)
class Slice:
    """
    A part of a query's window.

    :param start: where it begins, without the overlap.
    :param end: where it ends, without the overlap.
    :param first: whether it begins where the query's window does, which may be open.
    :param last: whether it ends where the query's window does, which may be open.
    """

    start: datetime
    end: datetime
    first: bool = True
    last: bool = True

    @property
    def width(self) -> timedelta:
        """Time from start to end."""
        return self.end - self.start

    def query(self, whole: Query) -> Query:
        """Return the query that lists this slice, with its overlaps, and open where the whole is."""
        start = whole.start_date if self.first else self.start - OVERLAP
        end = whole.end_date if self.last else self.end + OVERLAP
        return whole.between(start, end)

    def cut(self, pieces: int) -> list[Slice]:
        """Return the slice in equal pieces, as many as asked for or as are not too narrow."""
        count = max(1, min(pieces, self.width // NARROWEST))
        seams = [self.start + self.width * i / count for i in range(count)] + [self.end]
        return [
            Slice(seams[i], seams[i + 1], self.first and i == 0, self.last and i == count - 1) for i in range(count)
        ]


def whole_slice(query: Query, now: datetime) -> Slice:
    """Return the query's window as one slice; where it is open, as far as Twilio keeps operations."""
    end = query.end_date or max(now, query.start_date or now) + NARROWEST
    start = query.start_date or min(now, end) - timedelta(days=RETENTION_DAYS)
    return Slice(start.astimezone(UTC), max(start, end).astimezone(UTC))


def guess_pages(part: Slice, operations: Sequence[Operation]) -> float:
    """
    Guess how many pages like this one a slice holds, from how much of its time the page covers.

    :param operations: of the slice's first page, which had a next one.
    """
    moments = [operation.created_at for operation in operations]
    if not moments or part.width <= timedelta(0):
        return 1.0
    covered = max(max(moments) - min(moments), part.width / 10_000)
    return max(1.0, part.width / covered)

"""
A window of time, cut into slices that can be listed side by side.

Nothing is promised about the order of a list or whether its bounds are inclusive. So each request asks for a little
more than its slice, what comes twice is dropped by id, and every chain of pages is followed to its end or listed again
in smaller slices. Order is used only to guess how much a slice still holds; a wrong guess costs requests, never
operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.listing.query import OVERLAP
from airflow_provider_comms.comms.resource import RETENTION_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_comms.comms.listing.query import Query

MIN_SLICE = 4 * OVERLAP
PAGES_IN_SAMPLE = 3
PAGES_PER_PIECE = 5
"""Pages that a piece must seem to hold at least: half of its last one is empty, and what was listed comes again."""


@dataclass(frozen=True, slots=True)
class Slice:
    """
    A part of a query's window.

    :param start: where it begins.
    :param end: where it ends.
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
        """Return the query that lists this slice, open where the whole is."""
        return whole.between(whole.start_date if self.first else self.start, whole.end_date if self.last else self.end)

    def cut(self, pieces: int) -> list[Slice]:
        """Return the slice in equal pieces, as many as asked for or as are not too narrow."""
        count = max(1, min(pieces, self.width // MIN_SLICE))
        return self.cut_at([self.start + self.width * i / count for i in range(1, count)])

    def cut_at(self, moments: Sequence[datetime]) -> list[Slice]:
        """
        Return the slice in pieces that meet at moments, but for those that would make a piece too narrow.

        :param moments: sorted.
        """
        boundaries = [self.start]
        for moment in moments:
            if min(moment - boundaries[-1], self.end - moment) >= MIN_SLICE:
                boundaries.append(moment)
        boundaries.append(self.end)
        return [
            Slice(begin, end, self.first and begin == self.start, self.last and end == self.end)
            for begin, end in pairwise(boundaries)
        ]


def whole_slice(query: Query, now: datetime) -> Slice:
    """Return the query's window as one slice; where it is open, as far as Twilio keeps operations."""
    end = query.end_date or max(now, query.start_date or now) + MIN_SLICE
    start = query.start_date or min(now, end) - timedelta(days=RETENTION_DAYS)
    return Slice(start, max(start, end))


class Progress:
    """
    How much of a slice has been listed, and what may lie ahead.

    :param part: the slice.
    """

    def __init__(self, part: Slice) -> None:
        self.pages = 0
        self._part = part
        self._latest_page = timedelta(0)
        self._begin: datetime | None = None
        self._end: datetime | None = None
        self._sample: list[datetime] = []
        """Times of a list in no order of time, sorted: those not seen yet are spread as these are."""

    def note(self, created: Sequence[datetime]) -> None:
        """Take in when the operations of the next page were created."""
        self.pages += 1
        if created:
            begin, end = min(created), max(created)
            self._latest_page = end - begin
            self._begin = min(begin, self._begin or begin)
            self._end = max(end, self._end or end)
            if self.pages <= PAGES_IN_SAMPLE and not _is_ordered(created):
                self._sample = sorted([*self._sample, *created])

    def pages_left(self, longest: int) -> float:
        """
        Guess how many pages are left; 0 at first.

        By the time not covered yet, at the pace of the latest page. A list in no order of time may end with each page,
        until it is longer than those that have ended; then as many pages may follow as it has had.

        :param longest: pages of the longest slice that has ended.
        """
        if self._begin is None or self._end is None:
            return 0.0
        if self._sample:
            return float(self.pages) if self.pages > longest else 0.0
        left = self._part.width - (self._end - self._begin)
        return max(0.0, left / max(self._latest_page, self._part.width / 10_000, timedelta.resolution))

    def cut(self, at_most: int) -> list[Slice]:
        """Return the slice in pieces that are worth their first pages; whole if there are no two of these."""
        if self._sample and self.pages > 1:
            return self._part.cut_at([self._sample[len(self._sample) * i // at_most] for i in range(1, at_most)])
        return self._part.cut(min(at_most, int(self.pages + self.pages_left(0)) // PAGES_PER_PIECE))


def _is_ordered(created: Sequence[datetime]) -> bool:
    """Whether times rise or fall for the most part; in no order they do so about as often."""
    steps, falls = len(created) - 1, sum(earlier > later for earlier, later in pairwise(created))
    return not steps / 4 < falls < steps * 3 / 4

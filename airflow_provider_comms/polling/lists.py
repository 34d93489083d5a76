"""The wanted operations on the pages of a list, within bounds of pages and time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.listing.query import OVERLAP, query_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection
    from datetime import datetime

    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import OperationStatus, Resource
    from airflow_provider_comms.polling.limits import PollLimits

    Window = tuple[datetime | None, datetime | None]
    Intern = Callable[[Operation], Operation]

EVERYTHING: Window = (None, None)
PLAUSIBLE = timedelta(days=30)
"""How far apart the creation dates of operations may be; the API keeps them for 7 days."""
MIN_HITS_PER_PAGE = 20
"""Wanted operations that a page of ended ones must show to be cheaper than asking for each of them."""
WANTED_PER_EMPTY_PAGE = 20
"""Wanted operations per page without any of them that may be read in a row; at least `empty_pages` may."""


def is_page_worth_it(missing: int, hits: int = MIN_HITS_PER_PAGE) -> bool:
    """
    Whether to request a page, the first or the next one, of a list of ended operations.

    :param missing: wanted operations that were not listed so far.
    :param hits: wanted operations on the page before.
    """
    return missing > MIN_HITS_PER_PAGE and hits >= MIN_HITS_PER_PAGE


class TooManyPagesError(Exception):
    """A list that is not worth its requests: few of its operations are wanted, or it does not end."""


def window_of(created: list[datetime]) -> Window:
    """
    Return the window in which operations were created, somewhat widened.

    Outliers are left out: a single wrong date would have the whole account listed.

    :param created: of each operation.
    """
    if not created:
        return EVERYTHING
    created = sorted(created)
    middle = created[len(created) // 2]
    plausible = [one for one in created if abs(one - middle) <= PLAUSIBLE]
    return plausible[0] - OVERLAP, plausible[-1] + OVERLAP


class WantedPages:
    """
    Lists of one poll, of which only the wanted operations are kept.

    :param client: the connection's.
    :param window: in which all of the wanted operations were created.
    :param wanted: ids to keep; it would take as many requests to fetch them one by one.
    :param intern: returns the object that represents an operation; the known one if nothing has changed.

    `read` counts the pages.
    """

    def __init__(  # noqa: PLR0917
        self,
        client: AsyncCommsClient,
        resource: Resource,
        window: Window,
        wanted: Collection[str],
        intern: Intern,
        limits: PollLimits,
    ) -> None:
        self.read = 0
        self.at_most = len(wanted)
        self._client = client
        self._resource = resource
        self._window = window
        self._wanted = wanted
        self._intern = intern
        self._limits = limits
        self._empty = 0
        self._empty_at_most = max(limits.empty_pages, len(wanted) // WANTED_PER_EMPTY_PAGE)
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()

    async def of(self, status: OperationStatus) -> AsyncGenerator[dict[str, Operation], None]:
        """
        Give the wanted operations, page by page.

        :raises TooManyPagesError: the list goes on beyond the bounds.
        :raises CommsError: see the tree in `comms.errors`.
        """
        start, end = self._window
        query = query_of(self._resource, start_date=start, end_date=end, status=status)
        async with aclosing(self._client.pages(query, self._wanted)) as pages:
            async for page in pages:
                yield {operation.id: self._intern(operation) for operation in page}
                self._count(len(page))

    def _count(self, hits: int) -> None:
        self.read += 1
        self._empty = 0 if hits else self._empty + 1
        seconds = self._loop.time() - self._begun
        is_slow = seconds > self._limits.list_base + self.read * self._limits.list_page
        if is_slow or self.read >= self.at_most or self._empty >= self._empty_at_most:
            raise TooManyPagesError

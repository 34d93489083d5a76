"""
The state of many operations at the least cost: a survey, taken again and again.

A page of a list tells the state of 1,000 operations for one request. So the pending operations are listed, and those
of ours that are not among them (they have ended, or the list lags behind) are looked up: many by a list of the ended
ones, few one by one. Where a list would cost more requests than asking for each, each is asked for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from dataclasses import replace
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.collector import collector_paused
from airflow_provider_comms.comms.errors import (
    CommsAuthenticationError,
    CommsError,
    CommsPermissionError,
    CommsRateLimitError,
)
from airflow_provider_comms.comms.http.response import parse_page
from airflow_provider_comms.comms.listing.query import OVERLAP, query_of
from airflow_provider_comms.comms.resource import OperationStatus, Resource

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from datetime import datetime

    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.comms.http.response import Response
    from airflow_provider_comms.comms.models import Operation, Page

    Window = tuple[datetime | None, datetime | None]
    Seen = dict[str, Operation | CommsError]

PENDING = (OperationStatus.PROCESSING, OperationStatus.SCHEDULED)
ENDED = (OperationStatus.COMPLETED, OperationStatus.CANCELED)
MIN_IDS_TO_LIST = 3
"""So many are always asked for one by one: a list costs a request for each pending status at the least."""
BATCH = 250
"""Fetches that are begun together, so that no loop is held up by making tasks."""
PROBE_SIZE = 10
"""Fetches that go ahead of the others, so that trouble which meets all of them is met by few."""
MAX_FETCHES = 1000
"""Fetches of one survey where the list does not work; the others come next time."""
MIN_HITS_PER_PAGE = 20
"""Operations of ours that a page of ended ones must tell of to be worth the next page."""
RELIST_AFTER = 20
"""Surveys after which a list that was too long is tried again."""


class StatusScan:
    """
    Sees operations of one resource.

    :param client: asks the API; another one may take its place between two surveys.
    :param resource: "emails" or "messages".
    """

    def __init__(self, client: AsyncCommsClient, resource: Resource) -> None:
        self.client = client
        self._resource = resource
        self._last: dict[str, Operation] = {}
        self._longest_unchecked: deque[str] = deque()
        self._sample = 1
        self._in_trouble = False
        self._list_costs = 0
        self._surveys_without_list = 0

    async def see(self, ids: Iterable[str], others: Iterable[str] = ()) -> Seen:
        """
        Return the state of each operation, or the error in its place.

        What has not changed since the last survey is the same object as then.

        Ids that are missing in the result were not asked for this time; only where the list fails and they are many.

        :param ids: ids of operations; in number the fewest requests are made that tell of them.
        :param others: ids that later surveys will ask for, beside these.
        """
        wanted = dict.fromkeys(ids)
        self._forget_all_but(wanted, others)
        first: Seen = {}
        if self._in_trouble and wanted:
            # One goes ahead to see whether the trouble has passed, before the others follow.
            first = await self._fetch(list(islice(wanted, 1)))
            if trouble := _common_trouble(first):
                return dict.fromkeys(wanted, trouble)
        seen = first | await self._see_all([one for one in wanted if one not in first])
        await _let_others_run()
        self._in_trouble = _common_trouble(seen) is not None
        return seen

    async def _see_all(self, ids: list[str]) -> Seen:
        if not self._is_list_worth_it(len(ids)):
            return await self._fetch(ids)
        try:
            pending = await self._list_pending(ids)
        except CommsError as error:
            return await self._do_without_list(ids, error)
        if pending is None:
            return await self._fetch(ids)
        await _let_others_run()
        missing = [one for one in ids if one not in pending]
        ended = await self._list_ended(missing)
        rest = [one for one in missing if one not in ended]
        checked = self._spot_checks(pending)
        fetched = await self._fetch([*rest, *checked])
        self._note_lag([fetched[one] for one in checked if one in fetched])
        return {**pending, **ended, **fetched}

    def _is_list_worth_it(self, number: int) -> bool:
        if number <= MIN_IDS_TO_LIST:
            return False
        if number > self._list_costs:
            return True
        self._surveys_without_list += 1
        return self._surveys_without_list >= RELIST_AFTER

    async def _list_pending(self, ids: list[str]) -> Seen | None:
        """List the pending ones; None if it turns out dearer than asking for each."""
        wanted, pages = set(ids), 0
        await _let_others_run()
        window = self._window(ids)
        await _let_others_run()
        found: Seen = {}
        for status in PENDING:
            async with aclosing(self._pages(status, wanted, window)) as listed:
                async for page in listed:
                    pages += 1
                    found.update({one.id: one for one in page})
                    if pages >= len(ids):
                        # It is known to cost at least this; the doubling lets a growing crowd try again.
                        self._list_costs, self._surveys_without_list = 2 * pages, 0
                        return None
        self._list_costs, self._surveys_without_list = pages, 0
        return found

    async def _list_ended(self, missing: list[str]) -> Seen:
        """List the ended ones as long as each page tells of many of ours. A mere help: what fails here is fetched."""
        found: Seen = {}
        if len(missing) <= MIN_HITS_PER_PAGE:
            return found
        wanted = set(missing)
        window = self._window(missing)
        try:
            for status in ENDED:
                async with aclosing(self._pages(status, wanted, window)) as listed:
                    async for page in listed:
                        found.update({one.id: one for one in page})
                        if len(page) < MIN_HITS_PER_PAGE or len(missing) - len(found) <= MIN_HITS_PER_PAGE:
                            break
        except CommsError:
            return found
        return found

    def _pages(
        self, status: OperationStatus, wanted: set[str], window: Window
    ) -> AsyncGenerator[list[Operation], None]:
        """List those that are wanted."""
        start, end = window
        query = query_of(self._resource, start_date=start, end_date=end, status=status)
        return self.client.pages(query, lambda answer: self._read_wanted(answer, wanted))

    def _window(self, ids: list[str]) -> Window:
        """
        Return the window in which they were created, if it is known of all.

        :param ids: in the order in which they were first seen, if possible: a set's order is ten times as slow.
        """
        created = [last.created_at for one in ids if (last := self._last.get(one))]
        if not created or len(created) < len(ids):
            return None, None
        return min(created) - OVERLAP, max(created) + OVERLAP

    def _read_wanted(self, answer: Response, wanted: set[str]) -> Page:
        """
        Read a page, and keep what is wanted of it; what has not changed is kept as the object that was there.

        All that is parsed is gone again when this returns, but for what is new. So the garbage collector, which
        would otherwise go through the whole heap of a triggerer every few thousand operations, is better paused.
        """
        with collector_paused():
            page = parse_page(answer)
            kept = [self._known(one) for one in page.operations if one.id in wanted]
            page = replace(page, operations=kept)
        return page  # noqa: RET504  (what was parsed is gone before collections go on)

    def _known(self, operation: Operation) -> Operation:
        last = self._last.get(operation.id)
        if last is not None and last.status == operation.status and last.stats == operation.stats:
            return last
        self._last[operation.id] = operation
        return operation

    async def _do_without_list(self, ids: list[str], error: CommsError) -> Seen:
        """The list failed: so does everything, or the list alone."""
        if _concerns_all(error):
            return dict.fromkeys(ids, error)
        first = await self._fetch(ids[:1])
        if trouble := _common_trouble(first):
            return dict.fromkeys(ids, trouble)
        return first | await self._fetch(ids[1:MAX_FETCHES])

    async def _fetch(self, ids: list[str]) -> Seen:
        seen: Seen = {}
        for start, end in pairwise([0, *range(PROBE_SIZE, len(ids), BATCH), len(ids)]):
            batch = await self.client.try_operations(self._resource, ids[start:end])
            seen |= {one: f if isinstance(f, CommsError) else self._known(f) for one, f in batch.items()}
            if trouble := _common_trouble(seen):
                return dict.fromkeys(ids, trouble) | seen
        return seen

    def _spot_checks(self, pending: Seen) -> list[str]:
        """Choose whom to fetch although the list shows it as pending: a list may lag behind for ever."""
        chosen: list[str] = []
        if not self._longest_unchecked:
            self._longest_unchecked.extend(pending)
        while self._longest_unchecked and len(chosen) < self._sample:
            if (one := self._longest_unchecked.popleft()) in pending:
                chosen.append(one)
        return chosen

    def _note_lag(self, checked: list[Operation | CommsError]) -> None:
        """Check twice as many next time if one has ended that the list showed as pending, and one if none has."""
        lags = any(not isinstance(one, CommsError) and one.is_terminal for one in checked)
        self._sample = 2 * self._sample if lags else 1

    def _forget_all_but(self, wanted: dict[str, None], others: Iterable[str]) -> None:
        if len(self._last) <= 2 * len(wanted):
            return
        kept = wanted.keys() | others
        if len(self._last) > 2 * len(kept):
            self._last = {one: last for one, last in self._last.items() if one in kept}


async def _let_others_run() -> None:
    """Each step between two of these takes a microsecond for an operation: of 50,000, as long as a loop may be held."""
    await asyncio.sleep(0)


def _concerns_all(error: CommsError) -> bool:
    """Whether no other request would do better: the credentials are refused, or a limit is reached."""
    return isinstance(error, (CommsAuthenticationError, CommsPermissionError, CommsRateLimitError))


def _common_trouble(seen: Seen) -> CommsError | None:
    """Return the error that stands in the place of all of them, if it is one that may well meet the next ones too."""
    errors = [found for found in seen.values() if isinstance(found, CommsError)]
    if not errors or len(errors) < len(seen):
        return None
    last = errors[-1]
    return last if last.transient or last.wrong_endpoint or _concerns_all(last) else None

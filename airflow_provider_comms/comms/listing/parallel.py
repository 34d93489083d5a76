"""A window of time in slices that are listed side by side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.listing.in_turn import PageIterator
from airflow_provider_comms.comms.listing.slices import Progress, Slice, whole_slice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.listing.in_turn import GetPage
    from airflow_provider_comms.comms.listing.query import Query
    from airflow_provider_comms.comms.listing.results import Results
    from airflow_provider_comms.comms.models import Operations

EAGER_SPLIT_PAGES = 1.6
"""Pages per worker that a slice must seem to hold yet, at least, to be cut before a worker has nothing to do."""
QUEUE_SIZE = 2
"""Pages that wait for the reader, besides one in the hands of each worker; each takes 2.5 MB."""


async def list_side_by_side(
    query: Query, get_page: GetPage, peer: str, results: Results, now: datetime
) -> AsyncGenerator[Operations, None]:
    """
    List slices of the window at the same time, `query.parallel` of them; in no order.

    :param get_page: sends a request and reads the page.
    :param peer: what errors call the other side.
    :param results: says what of each page is handed out.
    :param now: where an open window ends, as far as cutting it goes.
    """
    sliced = _SlicedListing(query, get_page, peer, results)
    workers = [asyncio.create_task(sliced.work()) for _ in range(query.parallel)]
    try:
        async for operations in sliced.run(whole_slice(query, now)):
            yield operations
            del operations
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


class _SlicedListing:
    """Slices wait in a queue, pages come out of another; workers stand between."""

    def __init__(self, query: Query, get_page: GetPage, peer: str, results: Results) -> None:
        self._query = query
        self._get_page = get_page
        self._peer = peer
        self._results = results
        self._slices: asyncio.Queue[Slice] = asyncio.Queue()
        self._unfinished = 0
        self._longest = 0
        """Pages of the longest slice that has ended."""
        # Bounded, so that a slow reader holds the workers back and memory stays level.
        self._found: asyncio.Queue[Operations | BaseException | None] = asyncio.Queue(QUEUE_SIZE)

    async def run(self, window: Slice) -> AsyncGenerator[Operations, None]:
        self._put(window.cut(self._query.parallel))
        while (found := await self._found.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
            del found

    def _put(self, slices: list[Slice]) -> None:
        self._unfinished += len(slices)
        for part in slices:
            self._slices.put_nowait(part)

    async def work(self) -> None:
        """List slice after slice until cancelled; the last one to finish says so."""
        while True:
            part = await self._slices.get()
            try:
                await self._list(part)
            except Exception as error:  # noqa: BLE001  (raised again, in the reader)
                await self._found.put(error)
            self._unfinished -= 1
            if not self._unfinished:
                await self._found.put(None)

    async def _list(self, part: Slice) -> None:
        pages, progress = PageIterator(part.query(self._query), self._peer), Progress(part)
        while (request := pages.request) is not None:
            await self._step(pages, request, progress)
            if pages.request and (pieces := self._pieces(progress)):
                self._put(pieces)
                return
        self._longest = max(self._longest, progress.pages)

    async def _step(self, pages: PageIterator, request: Request, progress: Progress) -> None:
        """Hand out the next page. It is let go of before the one after it is asked for."""
        page = await self._get_page(request)
        progress.note(page.operations.created_at)
        pages.consume(page)
        await self._found.put(self._results.take(page))

    def _pieces(self, progress: Progress) -> list[Slice]:
        """
        Cut a slice that holds more than its share while others run dry; empty if it should stay whole.

        Its pieces start over: what was listed of it is listed twice. So it must seem to hold more yet than that.
        """
        workers, left = self._query.parallel, progress.pages_left(self._longest)
        somebody_waits = self._unfinished < workers
        gain = left if somebody_waits else left / (EAGER_SPLIT_PAGES * workers)
        if progress.pages > gain or self._slices.qsize() >= workers:
            return []
        pieces = progress.cut(workers)
        return pieces if len(pieces) > 1 else []

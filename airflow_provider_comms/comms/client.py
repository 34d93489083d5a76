"""
The clients.

The blocking one is the async one on a loop of its own, so that there is nothing which could differ, and so that its
deadline holds: a blocking socket can be held indefinitely by a server that drips one byte a second, a task on a loop
cannot.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from copy import copy
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airflow_provider_comms.comms.arguments import suggests_keywords
from airflow_provider_comms.comms.errors import CommsArgumentError, CommsError
from airflow_provider_comms.comms.http.request import fetch_request, send_request
from airflow_provider_comms.comms.http.response import parse_operation, parse_page
from airflow_provider_comms.comms.http.sender import Sender, SendOptions
from airflow_provider_comms.comms.listing.in_turn import list_in_turn
from airflow_provider_comms.comms.listing.parallel import list_side_by_side
from airflow_provider_comms.comms.listing.query import query_of
from airflow_provider_comms.comms.listing.results import Results, check_retention
from airflow_provider_comms.comms.resource import DEFAULT_PAGE_SIZE, Resource
from airflow_provider_comms.comms.sending.accepted import parse_accepted
from airflow_provider_comms.comms.sending.items import parse_items
from airflow_provider_comms.comms.sending.search import MAX_CANDIDATES, Search
from airflow_provider_comms.comms.thread_loop import run, runs_here, start, thread_loop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Container, Coroutine, Iterable, Iterator

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.listing.query import Query
    from airflow_provider_comms.comms.models import Operation, Operations, Page
    from airflow_provider_comms.comms.sending.items import ItemPage
    from airflow_provider_comms.comms.sending.requests import EmailSend, MessageSend, Send
    from airflow_provider_comms.comms.sending.results import Accepted, Sighting
    from airflow_provider_comms.comms.settings import ClientSettings, RetryPolicy, Timeouts

log = logging.getLogger(__name__)
T = TypeVar("T")


class AsyncCommsClient:
    """
    Talks to the Comms API on the running event loop.

    :param settings: whom to talk to, as whom, and within which limits.

    Use it as `async with AsyncCommsClient(settings) as client:`, or call :meth:`aclose`. It belongs to one loop.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self._sender = Sender(settings)
        self._options = SendOptions(settings.timeouts, settings.retry)
        self._warned: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. The client can be used again: it opens new ones."""
        await self._sender.aclose()

    def with_options(
        self, *, timeouts: Timeouts | None = None, retry: RetryPolicy | None = None, last_chance: bool = False
    ) -> Self:
        """
        Return a client over the same connections, limits and throttle, for calls of another kind.

        :param timeouts: take the place of the settings' own.
        :param retry: takes the place of the settings' own; `RetryPolicy(attempts=1)` sends each request once.
        :param last_chance: for the last request before a deadline: it does not wait until a throttle that a 429
            closed opens again. One such request a second may pass.

        Closing either client closes the connections of both.
        """
        other = copy(self)
        other._options = SendOptions(  # noqa: SLF001  (a copy of this very object)
            timeouts or self._options.timeouts, retry or self._options.retry, last_chance
        )
        return other

    async def get_operation(self, resource: str, operation_id: str) -> Operation:
        """
        Fetch one operation.

        :param resource: "emails" or "messages".
        :param operation_id: id of the operation.
        :raises CommsError: see the tree in `comms.errors`.
        """
        return await self._sender.send(fetch_request(resource, operation_id), parse_operation, self._options)

    async def try_operations(self, resource: str, operation_ids: Iterable[str]) -> dict[str, Operation | CommsError]:
        """
        Fetch several operations at the same time; the failure of one does not affect the others.

        :param resource: "emails" or "messages".
        :param operation_ids: ids of the operations.
        :return: by id, in the order given, the operation or the error in its place.
        """
        ids = list(dict.fromkeys(operation_ids))
        async with aclosing(self.fetch_each(resource, ids)) as fetched:
            found = {operation_id: result async for operation_id, result in fetched}
        return {operation_id: found[operation_id] for operation_id in ids}

    async def fetch_each(
        self, resource: str, operation_ids: Iterable[str]
    ) -> AsyncGenerator[tuple[str, Operation | CommsError], None]:
        """
        Fetch several operations at the same time, and give each as its response comes in.

        One that is slow, or retried, delays nobody but those behind it in the queue: `max_in_flight` of them are
        fetched at a time. To try each once, with short deadlines, use :meth:`with_options`.

        :param resource: "emails" or "messages".
        :param operation_ids: ids of the operations; one that is given twice is fetched once.
        :return: pairs of an id and its operation, or the error in its place, in the order of the responses.
        """
        ids = list(dict.fromkeys(operation_ids))
        queue = iter(ids)
        results: asyncio.Queue[tuple[str, Operation | Exception]] = asyncio.Queue()

        async def work() -> None:
            for operation_id in queue:
                results.put_nowait((operation_id, await self._try(resource, operation_id)))

        workers = [asyncio.create_task(work()) for _ in range(min(len(ids), self.settings.max_in_flight))]
        try:
            for _ in ids:
                operation_id, result = await results.get()
                if isinstance(result, Exception) and not isinstance(result, CommsError):
                    raise result
                yield operation_id, result
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _try(self, resource: str, operation_id: str) -> Operation | Exception:
        try:
            return await self.get_operation(resource, operation_id)
        except Exception as error:  # noqa: BLE001  (what is not ours is raised again, where the results are read)
            # What was not sent (a bad id, a blocked throttle) took no time: thousands of them must not hold the loop.
            await asyncio.sleep(0)
            return error

    @suggests_keywords
    def list_operations(
        self,
        resource: str,
        *,
        start_date: datetime | str | None = None,
        end_date: datetime | str | None = None,
        status: str | None = None,
        page_size: int = DEFAULT_PAGE_SIZE,
        limit: int | None = None,
        parallel: int = 1,
        strict: bool = False,
    ) -> AsyncIterator[Operation]:
        """
        List operations over all pages, each of them once.

        :param resource: "emails" or "messages".
        :param start_date: operations created at or after this time; an aware datetime, in any zone, or an ISO 8601
            text with an offset.
        :param end_date: operations created before this time; likewise.
        :param status: operations in this status; one of `OperationStatus`.
        :param page_size: operations per request, 1 to 1000.
        :param limit: stop after so many operations.
        :param parallel: slices of the window that are listed at the same time, 1 to 32. With 1 the order is the
            API's, which Twilio does not promise; with more there is none.
        :param strict: raise what would be a warning: records that could not be read (`CommsRecordError`, at the end,
            when the others have been handed out) and a window that begins before Twilio's retention of 7 days.
        :raises CommsArgumentError: an argument is invalid or unknown; raised at the call, before any
            request.
        :raises CommsError: see the tree in `comms.errors`; raised while iterating.
        """
        query = query_of(
            resource,
            start_date=start_date,
            end_date=end_date,
            status=status,
            page_size=page_size,
            limit=limit,
            parallel=parallel,
            strict=strict,
        )
        return self._operations(query)

    async def _operations(self, query: Query) -> AsyncGenerator[Operation, None]:
        async with aclosing(self.listing(query)) as pages:
            async for page in pages:
                for operation in page:
                    yield operation
                del page

    async def listing(self, query: Query) -> AsyncGenerator[Operations, None]:
        """
        List as :meth:`list_operations` does, the operations of a page at a time.

        :param query: made by `query_of`.
        """
        results = Results(query)
        check_retention(query, datetime.now(UTC), self.settings.description)
        async with aclosing(self.pages(query, results=results)) as pages:
            async for page in pages:
                yield page
                del page
        results.report()

    async def pages(
        self, query: Query, wanted: Container[str] | None = None, results: Results | None = None
    ) -> AsyncGenerator[Operations, None]:
        """
        List without a word about what could not be read, the operations of a page at a time.

        :param query: made by `query_of`.
        :param wanted: ids of the operations to hand out; None for all.
        :param results: what of the pages is handed out, and was not read.
        """
        remaining = query.limit
        async with aclosing(self._all_pages(query, wanted, results or Results(query))) as pages:
            async for page in pages:
                yield page[:remaining]
                if remaining is not None and (remaining := remaining - len(page)) <= 0:
                    return
                # Nobody holds a page while the next one is read: less memory, and less for the collector to visit.
                del page

    def _all_pages(
        self, query: Query, wanted: Container[str] | None, results: Results
    ) -> AsyncGenerator[Operations, None]:
        async def get_page(request: Request) -> Page:
            return await self._sender.send(request, partial(parse_page, wanted=wanted), self._options)

        if query.parallel == 1:
            return list_in_turn(query, get_page, self.settings.description, results)
        return list_side_by_side(query, get_page, self.settings.description, results, datetime.now(UTC))

    async def send_emails(self, request: EmailSend) -> Accepted:
        """
        Send one e-mail to many recipients.

        The API has no idempotency key, so the request is repeated only where that cannot send twice: if no byte of it
        was written, or after a 429. It goes over a connection of its own. Cancelled while it is under way, or on an
        error whose `context.sent` is True and whose status is not one that refuses it, its outcome is unknown: look for
        it by a tag with :meth:`find_sends` before sending it again.

        :param request: what to send, to whom.
        :return: that it was accepted; its operation can then be waited for.
        :raises CommsBadRequestError: refused as a whole; `error.context.errors` has each thing that is wrong, with the
            recipient's number.
        :raises CommsError: see the tree in `comms.errors`.
        """
        return await self._send(request, Resource.EMAILS)

    async def send_messages(self, request: MessageSend) -> Accepted:
        """
        Send one message to many recipients; repeated as little as :meth:`send_emails` says.

        :param request: what to send, to whom.
        :return: that it was accepted; its operation can then be waited for.
        :raises CommsBadRequestError: refused as a whole; `error.context.errors` has each thing that is wrong, with the
            recipient's number.
        :raises CommsError: see the tree in `comms.errors`.
        """
        return await self._send(request, Resource.MESSAGES)

    async def _send(self, request: Send, resource: Resource) -> Accepted:
        if getattr(request, "resource", None) is not resource:
            raise CommsArgumentError(
                f"request is a {type(request).__name__}, which does not send {resource}.",
                advice="Give an EmailSend to send_emails, a MessageSend to send_messages.",
            )
        for warning in request.warnings:
            if warning not in self._warned:  # Once a client: the chunks of one send have the same.
                self._warned.add(warning)
                log.warning("%s", warning)
        post = send_request(resource, request.body(), request.scrub)
        return await self._sender.send(post, parse_accepted, self._options)

    async def find_sends(self, resource: str, tag: str, since: datetime | str | None = None) -> Sighting:
        """
        Look whether something with a tag was accepted: after a send of unknown outcome, or before one that may be a
        second one.

        :param resource: "emails" or "messages".
        :param tag: name and value of one of its tags, as "name:value".
        :param since: look for what was created at or after this time; an aware datetime, in any zone, or an ISO 8601
            text with an offset. None looks as far back as Twilio keeps records, 7 days.
        :return: whether it was found. That it was not found proves nothing for the last few minutes: lists lag.
            If the look-up fails, the result says so; it is not raised.
        :raises CommsArgumentError: an argument is invalid.
        """
        return await Search(resource, tag, since, self._get_items, self._candidates).run()

    async def _get_items(self, request: Request) -> ItemPage:
        return await self._sender.send(request, parse_items, self._options)

    def _candidates(self, resource: Resource, start: datetime, end: datetime) -> AsyncIterator[Operation]:
        return self.list_operations(resource, start_date=start, end_date=end, limit=MAX_CANDIDATES)


class CommsClient:
    """
    Talks to the Comms API and blocks until there is a response. Threads may share it; so may a forked process.

    :param settings: whom to talk to, as whom, and within which limits.

    Use it as `with CommsClient(settings) as client:`, or call :meth:`close`.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self._options: dict[str, Any] = {}
        self._engines: dict[asyncio.AbstractEventLoop, AsyncCommsClient] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client can be used again: it opens new ones."""
        if self._engines and (engine := self._engines.pop(thread_loop(), None)):
            self._run(engine.aclose())

    def with_options(
        self, *, timeouts: Timeouts | None = None, retry: RetryPolicy | None = None, last_chance: bool = False
    ) -> Self:
        """
        Return a client over the same connections, limits and throttle, for calls of another kind.

        :param timeouts: take the place of the settings' own.
        :param retry: takes the place of the settings' own.
        :param last_chance: for the last request before a deadline; see :meth:`AsyncCommsClient.with_options`.
        """
        other = copy(self)
        given = {name: value for name, value in (("timeouts", timeouts), ("retry", retry)) if value is not None}
        other._options = {**self._options, **given, "last_chance": last_chance}  # noqa: SLF001  (a copy of this object)
        return other

    def get_operation(self, resource: str, operation_id: str) -> Operation:
        """
        Fetch one operation.

        :param resource: "emails" or "messages".
        :param operation_id: id of the operation.
        :raises CommsError: see the tree in `comms.errors`.
        """
        return self._run(self._engine.get_operation(resource, operation_id))

    def try_operations(self, resource: str, operation_ids: Iterable[str]) -> dict[str, Operation | CommsError]:
        """
        Fetch several operations at the same time; the failure of one does not affect the others.

        :param resource: "emails" or "messages".
        :param operation_ids: ids of the operations.
        :return: by id, in the order given, the operation or the error in its place.
        """
        return self._run(self._engine.try_operations(resource, operation_ids))

    @suggests_keywords
    def list_operations(
        self,
        resource: str,
        *,
        start_date: datetime | str | None = None,
        end_date: datetime | str | None = None,
        status: str | None = None,
        page_size: int = DEFAULT_PAGE_SIZE,
        limit: int | None = None,
        parallel: int = 1,
        strict: bool = False,
    ) -> Iterator[Operation]:
        """
        List operations over all pages, each of them once.

        :param resource: "emails" or "messages".
        :param start_date: operations created at or after this time; an aware datetime, in any zone, or an ISO 8601
            text with an offset.
        :param end_date: operations created before this time; likewise.
        :param status: operations in this status; one of `OperationStatus`.
        :param page_size: operations per request, 1 to 1000.
        :param limit: stop after so many operations.
        :param parallel: slices of the window that are listed at the same time, 1 to 32; see
            :meth:`AsyncCommsClient.list_operations`.
        :param strict: raise what would be a warning.
        :raises CommsArgumentError: an argument is invalid or unknown; raised at the call.
        :raises CommsError: see the tree in `comms.errors`; raised while iterating.
        """
        query = query_of(
            resource,
            start_date=start_date,
            end_date=end_date,
            status=status,
            page_size=page_size,
            limit=limit,
            parallel=parallel,
            strict=strict,
        )
        # A generator, so that it can be closed; the chain lets go of each page that was read.
        return (operation for operation in chain.from_iterable(self._listing(query)))

    def send_emails(self, request: EmailSend) -> Accepted:
        """
        Send one e-mail to many recipients.

        It is repeated only where that cannot send twice, see :meth:`AsyncCommsClient.send_emails`. If the wait for the
        response is interrupted, its outcome is unknown.

        :param request: what to send, to whom.
        :return: that it was accepted; its operation can then be waited for.
        :raises CommsBadRequestError: refused as a whole; `error.context.errors` has each thing that is wrong, with the
            recipient's number.
        :raises CommsError: see the tree in `comms.errors`.
        """
        return self._run(self._engine.send_emails(request))

    def send_messages(self, request: MessageSend) -> Accepted:
        """
        Send one message to many recipients.

        It is repeated only where that cannot send twice, see :meth:`AsyncCommsClient.send_emails`. If the wait for the
        response is interrupted, its outcome is unknown.

        :param request: what to send, to whom.
        :return: that it was accepted; its operation can then be waited for.
        :raises CommsBadRequestError: refused as a whole; `error.context.errors` has each thing that is wrong, with the
            recipient's number.
        :raises CommsError: see the tree in `comms.errors`.
        """
        return self._run(self._engine.send_messages(request))

    def find_sends(self, resource: str, tag: str, since: datetime | str | None = None) -> Sighting:
        """
        Look whether something with a tag was accepted.

        :param resource: "emails" or "messages".
        :param tag: name and value of one of its tags, as "name:value".
        :param since: look for what was created at or after this time; an aware datetime, in any zone, or an ISO 8601
            text with an offset. None looks as far back as Twilio keeps records, 7 days.
        :return: whether it was found. That it was not found proves nothing for the last few minutes: lists lag.
            If the look-up fails, the result says so; it is not raised.
        :raises CommsArgumentError: an argument is invalid.
        """
        return self._run(self._engine.find_sends(resource, tag, since))

    def _listing(self, query: Query) -> Iterator[Operations]:
        pages, loop = self._engine.listing(query), thread_loop()
        try:
            yield from iter(lambda: _next_page(pages, loop), None)
        finally:
            # Not waited for: whoever collects the garbage may close this, even the loop's own thread or a process
            # that ends; and where an interrupt came, the pages are being cancelled already.
            if runs_here(loop):
                start(pages.aclose(), loop)

    @property
    def _engine(self) -> AsyncCommsClient:
        # Keyed by the loop, which a forked process has of its own.
        loop = thread_loop()
        engine = self._engines.get(loop) or self._engines.setdefault(loop, AsyncCommsClient(self.settings))
        return engine.with_options(**self._options) if self._options else engine

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return run(coroutine, thread_loop())


def _next_page(pages: AsyncGenerator[T, None], loop: asyncio.AbstractEventLoop) -> T | None:
    if not runs_here(loop):
        raise CommsError(
            "This listing was started before the process was forked: its connection belongs to the parent process.",
            advice="Start a new listing in the child process; the client itself may be used there.",
        )
    return run(_next_or_none(pages), loop)


async def _next_or_none(pages: AsyncGenerator[T, None]) -> T | None:
    return await anext(pages, None)

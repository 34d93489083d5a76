"""
The client. The only module that imports httpx.

One engine does the talking, on an event loop. The sync client is the same engine behind a loop of its own, so
that there is nothing which could differ, and so that its deadline holds: a blocking socket can be held for ever
by a server that drips one byte a second, a task on a loop cannot.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
import httpx

from airflow_provider_comms.comms.arguments import suggests_keywords
from airflow_provider_comms.comms.errors import (
    CommsCertificateError,
    CommsError,
    CommsProtocolError,
    CommsSettingsError,
    CommsTimeoutError,
    CommsUnreachableError,
    ErrorContext,
)
from airflow_provider_comms.comms.http.request import fetch_request
from airflow_provider_comms.comms.http.response import Response, parse_operation, parse_page
from airflow_provider_comms.comms.http.sender import Sender
from airflow_provider_comms.comms.listing.parallel import list_in_turn, list_side_by_side
from airflow_provider_comms.comms.listing.query import query_of
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.resource import DEFAULT_PAGE_SIZE
from airflow_provider_comms.comms.thread_loop import run, start, thread_loop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.listing.query import Query
    from airflow_provider_comms.comms.models import Operation, Page
    from airflow_provider_comms.comms.settings import ClientSettings

    ReadPage = Callable[[Response], Page]

T = TypeVar("T")

MAX_BODY = 4 * 2**20
"""Bytes of an answer that are read. A page of 1,000 operations has about half a million."""
BEGUN_AT_ONCE = 100
"""Fetches that are begun before the loop has its turn again: some 3 ms, where 10,000 would hold it up for 300."""


_is_ours: ContextVar[bool] = ContextVar("a request of the Comms client", default=False)


def _is_not_our_request(_record: logging.LogRecord) -> bool:
    return not _is_ours.get()


# httpx logs the whole URL of each request, page tokens included, and a task's log would have a line for each look.
logging.getLogger("httpx").addFilter(_is_not_our_request)


class AsyncCommsClient:
    """
    Talks to the Comms API on the running event loop.

    :param settings: whom to talk to, as whom, and how patiently.

    Use it as `async with AsyncCommsClient(settings) as client:`, or call :meth:`aclose`. It belongs to one loop.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._secrets = settings.secrets
        self._conversation = Sender(settings, self._exchange)
        self._connections = _Connections(settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. The client can be used again: it opens new ones."""
        await self._connections.aclose()

    async def get_operation(self, resource: str, operation_id: str) -> Operation:
        """
        Fetch one operation.

        :param resource: "emails" or "messages".
        :param operation_id: id of the operation.
        :raises CommsError: see the tree in `comms.errors`.
        """
        return await self._conversation.ask(fetch_request(resource, operation_id), parse_operation)

    async def try_operations(self, resource: str, operation_ids: Iterable[str]) -> dict[str, Operation | CommsError]:
        """
        Fetch several operations side by side; the trouble of one is nothing to the others.

        :param resource: "emails" or "messages".
        :param operation_ids: ids of the operations.
        :return: by id, in the order given, the operation or the error in its place.
        """
        fetches: dict[str, asyncio.Task[Operation | CommsError]] = {}
        async with asyncio.TaskGroup() as group:
            for one in dict.fromkeys(operation_ids):
                fetches[one] = group.create_task(self._try(resource, one))
                if not len(fetches) % BEGUN_AT_ONCE:
                    await asyncio.sleep(0)
        return {one: fetch.result() for one, fetch in fetches.items()}

    async def _try(self, resource: str, operation_id: str) -> Operation | CommsError:
        try:
            return await self.get_operation(resource, operation_id)
        except CommsError as error:
            return error

    @suggests_keywords
    def list_operations(
        self,
        resource: str,
        *,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        status: str | None = None,
        page_size: int = DEFAULT_PAGE_SIZE,
        limit: int | None = None,
        parallel: int = 1,
    ) -> AsyncIterator[Operation]:
        """
        List operations over all pages, each of them once.

        :param resource: "emails" or "messages".
        :param start_date: operations created at or after this time; an aware datetime, in any zone.
        :param end_date: operations created before this time; likewise.
        :param status: operations in this status; one of `OperationStatus`.
        :param page_size: operations per request, 1 to 1000.
        :param limit: stop after so many operations.
        :param parallel: slices of the window that are listed at the same time, 1 to 32. With 1 the order is the
            API's, which Twilio does not promise; with more there is none.
        :raises CommsArgumentError: an argument cannot be right or is not known; raised at the call, before any
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
        )
        return self._operations(query)

    async def _operations(self, query: Query) -> AsyncGenerator[Operation, None]:
        async with aclosing(self.pages(query)) as pages:
            async for page in pages:
                for operation in page:
                    yield operation
                del page

    async def pages(self, query: Query, read: ReadPage = parse_page) -> AsyncGenerator[list[Operation], None]:
        """
        List as :meth:`list_operations` does, the operations of a page at a time.

        :param query: made by `query_of`.
        :param read: reads an answer; it may leave out operations that nobody wants.
        """
        remaining = query.limit
        async with aclosing(self._all_pages(query, read)) as pages:
            async for page in pages:
                yield page[:remaining]
                if remaining is not None and (remaining := remaining - len(page)) <= 0:
                    return
                # Nobody holds a page while the next one is read: less memory, and less for the collector to visit.
                del page

    def _all_pages(self, query: Query, read: ReadPage) -> AsyncGenerator[list[Operation], None]:
        async def get_page(request: Request) -> Page:
            return await self._conversation.ask(request, read)

        if query.parallel == 1:
            return list_in_turn(query, get_page, self._settings.description)
        return list_side_by_side(query, get_page, self._settings.description, datetime.now(UTC))

    async def _exchange(self, request: Request) -> Response:
        """Send once and read the whole answer; what httpx raises becomes ours."""
        _is_ours.set(True)
        try:
            async with (
                self._connections.take() as http,
                http.stream(request.method, request.path, params=request.query or None) as response,
            ):
                return Response(
                    request,
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    await self._body(request, response),
                    self._settings.description,
                    self._secrets + request.secrets,
                )
        except httpx.TimeoutException as error:
            raise CommsTimeoutError(*self._no_answer(request, error)) from None
        except httpx.TransportError as error:
            kind = CommsCertificateError if _is_about_certificate(error) else CommsUnreachableError
            raise kind(*self._no_answer(request, error)) from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeError) as error:
            # UnicodeError: a host, ours or that of a redirect, which is no domain name.
            raise CommsProtocolError(*self._no_answer(request, error)) from None
        finally:
            _is_ours.set(False)

    async def _body(self, request: Request, response: httpx.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY:
                raise CommsProtocolError(
                    f"The answer is longer than {MAX_BODY} bytes; the rest was not read.",
                    request.context(self._settings.description),
                )
        return b"".join(chunks)

    def _no_answer(self, request: Request, error: Exception) -> tuple[str, ErrorContext]:
        # The library's own error is not chained: its message could hold a proxy's password.
        said = excerpt(str(error), self._secrets + request.secrets)
        what = f"No whole answer to {request.method} {request.path}: {type(error).__name__}"
        return f"{what}: {said}" if said else what, request.context(self._settings.description)


class _Connections:
    """
    One httpx client per connection, each lent to one request at a time.

    httpx's pool looks at all of its connections whenever a request comes or goes: with 16 of them that is half the
    CPU of a fetch. The conversation says how many requests may be under way, so no pool has to.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._opening = asyncio.Lock()
        self._all: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def take(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a client: the one used last, so that no more connections stand than are needed."""
        http = self._idle.pop() if self._idle else await self._open()
        try:
            yield http
        finally:
            if http in self._all:  # Else it was closed in the meantime, or is about to be.
                self._idle.append(http)

    async def aclose(self) -> None:
        """Close all, lent or not."""
        clients, self._all, self._idle = self._all, [], []
        for http in clients:
            await http.aclose()

    async def _open(self) -> httpx.AsyncClient:
        async with self._opening:
            # The first time in a process this takes 150 ms, of imports and a TLS context: not on the loop.
            http = await asyncio.to_thread(_open, self._settings)
        self._all.append(http)
        return http


class CommsClient:
    """
    Talks to the Comms API and blocks until there is an answer. Threads may share it; so may a fork.

    :param settings: whom to talk to, as whom, and how patiently.

    Use it as `with CommsClient(settings) as client:`, or call :meth:`close`.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._engines: dict[asyncio.AbstractEventLoop, AsyncCommsClient] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client can be used again: it opens new ones."""
        if self._engines and (engine := self._engines.pop(thread_loop(), None)):
            self._run(engine.aclose())

    def get_operation(self, resource: str, operation_id: str) -> Operation:
        """Fetch one operation; as :meth:`AsyncCommsClient.get_operation` does."""
        return self._run(self._engine.get_operation(resource, operation_id))

    def try_operations(self, resource: str, operation_ids: Iterable[str]) -> dict[str, Operation | CommsError]:
        """Fetch several operations; as :meth:`AsyncCommsClient.try_operations` does."""
        return self._run(self._engine.try_operations(resource, operation_ids))

    @suggests_keywords
    def list_operations(
        self,
        resource: str,
        *,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        status: str | None = None,
        page_size: int = DEFAULT_PAGE_SIZE,
        limit: int | None = None,
        parallel: int = 1,
    ) -> Iterator[Operation]:
        """List operations; as :meth:`AsyncCommsClient.list_operations` does."""
        query = query_of(
            resource,
            start_date=start_date,
            end_date=end_date,
            status=status,
            page_size=page_size,
            limit=limit,
            parallel=parallel,
        )
        # A generator, so that it can be closed; the chain lets go of each page that was read.
        return (operation for operation in chain.from_iterable(self.pages(query)))

    def pages(self, query: Query) -> Iterator[list[Operation]]:
        """List the operations of a page at a time; as :meth:`AsyncCommsClient.pages` does."""
        pages, loop = self._engine.pages(query), thread_loop()
        try:
            yield from iter(lambda: run(_next_or_none(pages), loop), None)
        finally:
            # Not waited for: whoever collects the garbage may close this, even the loop's own thread or a process
            # that ends; and where an interrupt came, the pages are being cancelled already.
            start(pages.aclose(), loop)

    @property
    def _engine(self) -> AsyncCommsClient:
        # Keyed by the loop, which a forked process has of its own.
        loop = thread_loop()
        return self._engines.get(loop) or self._engines.setdefault(loop, AsyncCommsClient(self._settings))

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return run(coroutine, thread_loop())


def _is_about_certificate(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


async def _next_or_none(pages: AsyncGenerator[T, None]) -> T | None:
    return await anext(pages, None)


def _open(settings: ClientSettings) -> httpx.AsyncClient:
    _import_backend()
    tls = _tls_context(settings.verify, settings.ca_file)
    try:
        return _new_client(settings, tls)
    except (httpx.InvalidURL, ValueError, ImportError) as error:
        raise CommsSettingsError(
            f"No HTTP client can be made for {settings.description}: {excerpt(str(error), settings.secrets)}",
            advice="Check the host, the proxy (HTTPS_PROXY in the environment counts too) and the user agent.",
        ) from None


def _new_client(settings: ClientSettings, tls: ssl.SSLContext) -> httpx.AsyncClient:
    timeouts = settings.timeouts
    return httpx.AsyncClient(
        base_url=settings.base_url,
        auth=httpx.BasicAuth(settings.username, settings.password),
        headers={"User-Agent": settings.user_agent, "Accept": "application/json"},
        timeout=httpx.Timeout(
            connect=timeouts.connect,
            read=timeouts.read,
            write=timeouts.write,
            pool=timeouts.attempt,
        ),
        limits=httpx.Limits(max_keepalive_connections=1),
        follow_redirects=False,
        verify=tls,
        proxy=settings.proxy,
    )


@lru_cache(maxsize=1)
def _import_backend() -> None:
    """Import what httpx's first request would: the part of anyio that is for asyncio."""
    anyio.run(anyio.sleep, 0)


@lru_cache(maxsize=8)
def _tls_context(verify: bool, ca_file: str | None) -> ssl.SSLContext:
    try:
        if verify and ca_file:
            return ssl.create_default_context(cafile=ca_file)
        return httpx.create_ssl_context(verify=verify)
    except (OSError, ssl.SSLError) as error:
        raise CommsSettingsError(
            f"ca_file={ca_file!r} cannot be read as certificates: {error}.",
            advice="Give the path of a PEM file that exists where the task runs.",
        ) from None

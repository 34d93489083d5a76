"""The connections: one request out, its whole response back. The only module that imports httpx."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import anyio
import httpx

from airflow_provider_comms.comms.errors import (
    UNKNOWN_OUTCOME,
    Cause,
    CommsCertificateError,
    CommsError,
    CommsProtocolError,
    CommsSettingsError,
    CommsTimeoutError,
    CommsUnreachableError,
    ErrorContext,
)
from airflow_provider_comms.comms.http.body import CODINGS, MAX_BODY, MAX_SMALL_BODY, Body, BodyError
from airflow_provider_comms.comms.http.proxy import proxy_url
from airflow_provider_comms.comms.http.response import OK, Response
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.settings import proxy_secrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.settings import ClientSettings, Timeouts

JSON = {"Content-Type": "application/json"}
_is_ours: ContextVar[bool] = ContextVar("a request of the Comms client", default=False)


def _is_not_our_request(_record: logging.LogRecord) -> bool:
    return not _is_ours.get()


# httpx logs the whole URL of each request, page tokens included, and a task's log would have a line for each poll.
logging.getLogger("httpx").addFilter(_is_not_our_request)


class Transport:
    """
    Sends single requests. It belongs to one event loop.

    One httpx client per connection, each lent to one request at a time: httpx's pool looks at all of its connections
    whenever a request comes or goes, which with 16 of them is half the CPU of a fetch. The sender limits how many
    requests are in flight, so no pool has to.

    :param settings: whom to talk to, and how.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._secrets = settings.secrets
        self._opening = asyncio.Lock()
        self._all: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []

    async def exchange(self, request: Request, timeouts: Timeouts, seconds: float) -> Response:
        """
        Send once and read the whole response.

        :param seconds: for the whole exchange: neither silence nor a response that drips can stretch it.
        :raises CommsError: no complete response came, or not one of HTTP. For a request that sends something,
            `context.sent` says whether any of it was written; its response is complete with the status.
        """
        progress = _Progress()
        _is_ours.set(True)
        try:
            async with asyncio.timeout(seconds):
                await self._run(request, timeouts, progress)
        except TimeoutError:
            error: CommsError = CommsTimeoutError(
                f"{request} failed: no complete response in {seconds:.1f} s.",
                replace(self._context(request, progress), cause=Cause.TIMEOUT),
                UNKNOWN_OUTCOME if request.sends and progress.wrote else None,
            )
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeError) as fault:
            progress.wrote &= not isinstance(fault, _NEVER_WROTE)
            # Not chained: its message could hold a proxy's password, and it holds the request with its headers.
            error = self._error(request, fault, progress)
        else:
            return self._response(request, progress)
        finally:
            _is_ours.set(False)
        if request.sends and progress.status:
            return self._response(request, progress)  # The API has said what came of it, whatever the rest is.
        raise error

    async def _run(self, request: Request, timeouts: Timeouts, progress: _Progress) -> None:
        async with self._fresh_connection() if request.sends else self._connection() as http:
            progress.wrote = True
            async with http.stream(
                request.method,
                self._url(request),
                content=request.body,
                headers=JSON if request.body else None,
                timeout=_httpx_timeout(request, timeouts),
                extensions={"trace": progress.trace} if request.sends else None,
            ) as response:
                progress.status = response.status_code
                progress.headers = {name.lower(): value for name, value in response.headers.items()}
                progress.body = Body(_body_limit(request, response.status_code))
                await self._read(request, response, progress.body)

    def _url(self, request: Request) -> str:
        # In one text: httpx would parse it anew with each part that it is given.
        query = f"?{urlencode(request.query)}" if request.query else ""
        return f"{self._settings.base_url}{request.path}{query}"

    async def _read(self, request: Request, response: httpx.Response, body: Body) -> None:
        try:
            body.expect(response.headers.get("content-encoding", ""))
            async for chunk in response.aiter_raw():
                body.add(chunk)
            body.whole()
        except BodyError as error:
            if response.status_code == OK and not request.sends:  # Else the status counts, whatever the body.
                raise CommsProtocolError(
                    f"{request} failed: {error}.", request.context(self._settings.description)
                ) from None

    def _response(self, request: Request, progress: _Progress) -> Response:
        return Response(
            request,
            progress.status,
            progress.headers,
            progress.body.so_far(),
            self._settings.description,
            self._secrets + request.secrets,
        )

    def _context(self, request: Request, progress: _Progress) -> ErrorContext:
        return replace(request.context(self._settings.description), sent=progress.wrote if request.sends else None)

    def _error(self, request: Request, error: Exception, progress: _Progress) -> CommsError:
        detail = excerpt(request.without_people(str(error)), self._secrets + request.secrets)
        message = f"{request} failed: {type(error).__name__}"
        message = f"{message}: {detail}" if detail else message
        context = self._context(request, progress)
        advice = UNKNOWN_OUTCOME if context.sent else None
        if not isinstance(error, httpx.TransportError):
            # UnicodeError: a host, ours or that of a redirect, which is not a domain name.
            return CommsProtocolError(message, context, advice)
        cause = _cause(error)
        kind = _ERRORS.get(cause, CommsUnreachableError)
        return kind(message, replace(context, cause=cause, detail=detail or None), advice)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend the connection that was used last, so that no more are open than are needed."""
        if self._idle:
            http = self._idle.pop()
        else:
            http = await self._open()
            self._all.append(http)
        try:
            yield http
        finally:
            if http in self._all:  # Else it was closed in the meantime, or is about to be.
                self._idle.append(http)

    @asynccontextmanager
    async def _fresh_connection(self) -> AsyncIterator[httpx.AsyncClient]:
        """
        Open a connection for one request.

        One that was used before may have been closed at its other end, and a request that meets this is of unknown
        outcome. It is not among those that `aclose` cuts off.
        """
        http = await self._open()
        try:
            yield http
        finally:
            with suppress(Exception):  # Its end must not hide what the response has said.
                await http.aclose()

    async def aclose(self) -> None:
        """Close all connections, lent or not. The transport can be used again: it opens new ones."""
        clients, self._all, self._idle = self._all, [], []
        for http in clients:
            await http.aclose()

    async def _open(self) -> httpx.AsyncClient:
        async with self._opening:
            # The first time in a process this takes 150 ms, of imports and a TLS context: not on the loop.
            http, proxy = await asyncio.to_thread(_open, self._settings)
        # A proxy of the environment has secrets, too.
        self._secrets = tuple(dict.fromkeys(self._settings.secrets + proxy_secrets(proxy)))
        return http


class _Progress:
    """
    How far an exchange has come, for when it goes no further.

    `wrote` says whether any of the request may have been written. It does, from where httpx takes over, unless httpcore
    tells that it only connects: should it tell nothing one day, nothing is sent twice.
    """

    def __init__(self) -> None:
        self.wrote = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = Body(0)

    async def trace(self, event: str, details: Mapping[str, Any]) -> None:
        """Take note of httpcore's events, such as `connection.connect_tcp.started`."""
        if event.endswith(_CONNECTS):
            self.wrote = False
        elif "request" in details:  # It is about to be written; unless it is the one that asks a proxy to connect us.
            self.wrote = details["request"].method != b"CONNECT"


_CONNECTS = (".connect_tcp.started", ".start_tls.started")
_NEVER_WROTE = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.InvalidURL,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Errors from before anything is written, whatever httpcore has told."""
_ERRORS: dict[Cause, type[CommsUnreachableError]] = {
    Cause.CONNECT_TIMEOUT: CommsTimeoutError,
    Cause.TIMEOUT: CommsTimeoutError,
    Cause.CERTIFICATE: CommsCertificateError,
}
_BY_HTTPX: tuple[tuple[type[httpx.TransportError], Cause], ...] = (
    (httpx.ConnectTimeout, Cause.CONNECT_TIMEOUT),
    (httpx.TimeoutException, Cause.TIMEOUT),
    (httpx.ProxyError, Cause.PROXY),
)
_BY_ORIGIN: tuple[tuple[type[OSError], Cause], ...] = (
    (ssl.SSLCertVerificationError, Cause.CERTIFICATE),
    (ssl.SSLError, Cause.TLS),
    (socket.gaierror, Cause.DNS),
)


def _cause(error: httpx.TransportError) -> Cause:
    for kind, cause in _BY_HTTPX:
        if isinstance(error, kind):
            return cause
    for origin in _origins(error):
        for system_kind, cause in _BY_ORIGIN:
            if isinstance(origin, system_kind):
                return cause
    return Cause.REFUSED if isinstance(error, httpx.ConnectError) else Cause.DISCONNECTED


def _origins(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _open(settings: ClientSettings) -> tuple[httpx.AsyncClient, str | None]:
    _import_backend()
    proxy = proxy_url(settings)
    tls = _tls_context(settings.verify, settings.ca_file)
    try:
        return _new_client(settings, proxy, tls), proxy
    except (httpx.InvalidURL, ValueError, ImportError) as error:
        detail = excerpt(str(error), settings.secrets + proxy_secrets(proxy))
        raise CommsSettingsError(
            f"Could not make an HTTP client for {settings.description}: {detail}",
            advice="Check the host and the proxy (HTTPS_PROXY in the environment counts too).",
        ) from None


def _new_client(settings: ClientSettings, proxy: str | None, tls: ssl.SSLContext) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=settings.base_url,  # Checked here, once; requests give the whole URL.
        auth=httpx.BasicAuth(settings.username, settings.password),
        headers={
            "User-Agent": settings.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": CODINGS[0],
        },
        # A jar that takes no cookie: they would be sent back, more of them with each response.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        limits=httpx.Limits(max_keepalive_connections=1),
        follow_redirects=False,
        verify=tls,
        proxy=proxy,
        # The proxy is all that the environment may decide, and it has been read above.
        trust_env=False,
    )


def _httpx_timeout(request: Request, timeouts: Timeouts) -> httpx.Timeout:
    # What sends something is not cut off for a silence that an attempt may have.
    read, write = (timeouts.attempt, timeouts.attempt) if request.sends else (timeouts.read, timeouts.write)
    return httpx.Timeout(connect=timeouts.connect, read=read, write=write, pool=timeouts.attempt)


def _body_limit(request: Request, status: int) -> int:
    """Return the bytes that a response may have: a page of records, or an error for each recipient, are long."""
    is_page = status == OK and request.operation_id is None
    return MAX_BODY if is_page or request.sends else MAX_SMALL_BODY


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
    except (OSError, ValueError) as error:
        raise CommsSettingsError(
            f"ca_file={ca_file!r} cannot be read as certificates: {error}.",
            advice="Use the path of a PEM file that exists where the task runs.",
        ) from None

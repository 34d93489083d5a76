"""The connections: one request out, its whole response back. The only module that imports httpx."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import anyio
import httpx

from airflow_provider_comms.comms.errors import (
    Cause,
    CommsCertificateError,
    CommsError,
    CommsProtocolError,
    CommsSettingsError,
    CommsTimeoutError,
    CommsUnreachableError,
)
from airflow_provider_comms.comms.http.body import CODINGS, MAX_BODY, MAX_SMALL_BODY, Body, BodyError
from airflow_provider_comms.comms.http.proxy import proxy_url
from airflow_provider_comms.comms.http.response import OK, Response
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.settings import proxy_secrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.settings import ClientSettings, Timeouts

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

    async def exchange(self, request: Request, timeouts: Timeouts) -> Response:
        """
        Send once and read the whole response.

        :raises CommsError: no complete response came, or not one of HTTP.
        """
        _is_ours.set(True)
        try:
            async with (
                self._connection() as http,
                http.stream(
                    request.method, request.path, params=request.query or None, timeout=_httpx_timeout(timeouts)
                ) as response,
            ):
                return Response(
                    request,
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    await self._body(request, response),
                    self._settings.description,
                    self._secrets + request.secrets,
                )
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeError) as error:
            # Not chained: its message could hold a proxy's password, and it holds the request with its headers.
            raise self._error(request, error) from None
        finally:
            _is_ours.set(False)

    async def _body(self, request: Request, response: httpx.Response) -> bytes:
        is_page = response.status_code == OK and request.operation_id is None
        body = Body(MAX_BODY if is_page else MAX_SMALL_BODY)
        try:
            body.expect(response.headers.get("content-encoding", ""))
            async for chunk in response.aiter_raw():
                body.add(chunk)
            return body.whole()
        except BodyError as error:
            if response.status_code != OK:
                return body.so_far()  # The status counts, whatever the body.
            raise CommsProtocolError(
                f"{request} failed: {error}.", request.context(self._settings.description)
            ) from None

    def _error(self, request: Request, error: Exception) -> CommsError:
        detail = excerpt(str(error), self._secrets + request.secrets)
        message = f"{request} failed: {type(error).__name__}"
        context = request.context(self._settings.description)
        if not isinstance(error, httpx.TransportError):
            # UnicodeError: a host, ours or that of a redirect, which is not a domain name.
            return CommsProtocolError(f"{message}: {detail}" if detail else message, context)
        cause = _cause(error)
        kind = _ERRORS.get(cause, CommsUnreachableError)
        return kind(f"{message}: {detail}" if detail else message, replace(context, cause=cause, detail=detail or None))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend the connection that was used last, so that no more are open than are needed."""
        http = self._idle.pop() if self._idle else await self._open()
        try:
            yield http
        finally:
            if http in self._all:  # Else it was closed in the meantime, or is about to be.
                self._idle.append(http)

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
        self._all.append(http)
        return http


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
            f"No HTTP client can be made for {settings.description}: {detail}",
            advice="Check the host and the proxy (HTTPS_PROXY in the environment counts too).",
        ) from None


def _new_client(settings: ClientSettings, proxy: str | None, tls: ssl.SSLContext) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=settings.base_url,
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


def _httpx_timeout(timeouts: Timeouts) -> httpx.Timeout:
    return httpx.Timeout(connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.attempt)


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
            advice="Give the path of a PEM file that exists where the task runs.",
        ) from None

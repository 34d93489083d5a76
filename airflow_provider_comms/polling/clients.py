"""One client per connection and event loop, shared by all triggers that wait on it."""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from airflow_provider_comms.comms.client import AsyncCommsClient
from airflow_provider_comms.comms.http.throttle import shared_throttle
from airflow_provider_comms.polling.errors import REJECTED_CREDENTIALS, Reread, after_reread
from airflow_provider_comms.polling.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from airflow_provider_comms.comms.settings import ClientSettings
    from airflow_provider_comms.polling.limits import PollLimits

    ReadSettings = Callable[[], Awaitable[ClientSettings]]

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Opened:
    """A client, the settings it was made of, and how many requests it has under way. Times are those of the loop."""

    settings: ClientSettings
    client: AsyncCommsClient
    in_use: int = 0
    rejected_at: float | None = None
    """When its credentials were rejected; None if they are good as far as is known."""


class SharedClient:
    """
    The client of a connection; another one takes its place when the connection has changed.

    :param comms_conn_id: id of the Airflow connection, for the log.
    :param read_settings: reads the connection, again at every call.
    """

    def __init__(self, comms_conn_id: str, read_settings: ReadSettings, limits: PollLimits = DEFAULT_LIMITS) -> None:
        self.users = 0
        self._comms_conn_id = comms_conn_id
        self._read_settings = read_settings
        self._limits = limits
        self._reading = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._read_at = -math.inf
        self._failure: Exception | None = None
        self._is_reread_failing = False
        self._opened: _Opened | None = None

    async def open(self) -> None:
        """
        Read the connection and make the client; if that is done already, check whether the connection has changed.

        Waits that share the first reading share its failure.
        """
        asked_at = self._loop.time()
        async with self._reading:
            if self._opened is None:
                if self._failure is not None and self._read_at >= asked_at:
                    raise self._failure
                await self._read_first()
                return
        await self.reread(not_before=asked_at - self._limits.reread_on_join)

    async def _read_first(self) -> None:
        try:
            self._put(await self._read())
        except Exception as error:
            self._failure = error
            raise

    async def _read(self) -> ClientSettings:
        self._read_at = self._loop.time()
        async with asyncio.timeout(self._limits.read_timeout):
            return await self._read_settings()

    async def ask(self, request: Callable[[AsyncCommsClient], Awaitable[T]]) -> T:
        """
        Send a request, and once more if its credentials are rejected and the connection has changed.

        :param request: sends it, with the current client; one that is replaced in between stays open until then.
        """
        async with self._lease() as opened:
            try:
                return await self._send(opened, request)
            except REJECTED_CREDENTIALS as error:
                if final := after_reread(error, await self._reread_rejected(opened)):
                    raise final from None
        async with self._lease() as opened:
            return await self._send(opened, request)

    async def _send(self, opened: _Opened, request: Callable[[AsyncCommsClient], Awaitable[T]]) -> T:
        try:
            result = await request(opened.client)
        except REJECTED_CREDENTIALS:
            if opened.rejected_at is None:
                opened.rejected_at = self._loop.time()
            raise
        opened.rejected_at = None
        return result

    async def _reread_rejected(self, opened: _Opened) -> Reread:
        """Read the connection after the first rejection, and from time to time while it goes on."""
        if self._current is opened and opened.rejected_at is not None:
            await self.reread(not_before=max(opened.rejected_at, self._loop.time() - self._limits.reread_on_join))
        if self._current is not opened:
            return Reread.CHANGED
        return Reread.FAILED if self._is_reread_failing else Reread.UNCHANGED

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[_Opened]:
        opened = self._current
        opened.in_use += 1
        try:
            yield opened
        finally:
            opened.in_use -= 1
            await self._close_unless_needed(opened)

    @property
    def max_in_flight(self) -> int:
        """Requests that the client has under way at once."""
        return self._current.settings.max_in_flight

    @property
    def is_paced(self) -> bool:
        """Whether requests wait for their turn, as the API has throttled the connection."""
        settings = self._current.settings
        return shared_throttle(settings.base_url, settings.username).is_pacing

    async def reread(self, *, not_before: float) -> None:
        """
        Read the connection again: a token may have been rotated, a host corrected.

        Whatever fails here leaves the current client: it is logged, and tried again later.

        :param not_before: by the loop's clock; a reading that began since then will do.
        """
        async with self._reading:
            if self._read_at >= not_before:
                return
            settings = await self._changed_settings()
        if settings is not None:
            await self._replace(settings)

    async def aclose(self) -> None:
        """Close the client as soon as its last request is done."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await self._close_unless_needed(opened)

    @property
    def _current(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError("The client was used before it was opened, or after its last user left.")
        return self._opened

    def _put(self, settings: ClientSettings) -> None:
        self._opened = _Opened(settings, _open(settings, self._limits))

    async def _replace(self, settings: ClientSettings) -> None:
        old = self._current
        self._put(settings)
        log.info("The connection has changed; its waits use the new one from now on. (%s)", self._comms_conn_id)
        await self._close_unless_needed(old)

    async def _close_unless_needed(self, opened: _Opened) -> None:
        if opened is not self._opened and not opened.in_use:
            await opened.client.aclose()

    async def _changed_settings(self) -> ClientSettings | None:
        self._is_reread_failing = True
        try:
            settings = await self._read()
        except Exception:
            # Whatever a secrets backend raises: the current client stays, and so do the waits.
            log.warning(
                "Could not re-read the connection; still using the previous one. (%s)",
                self._comms_conn_id,
                exc_info=True,
            )
            return None
        self._is_reread_failing = False
        return None if settings == self._current.settings else settings


def _open(settings: ClientSettings, limits: PollLimits) -> AsyncCommsClient:
    """Return a client for the requests of polls: one attempt each, with short deadlines."""
    return AsyncCommsClient(settings).with_options(
        timeouts=limits.timeouts(settings.timeouts), retry=limits.retry(settings.retry)
    )


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedClient]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_client(
    comms_conn_id: str, read_settings: ReadSettings, limits: PollLimits = DEFAULT_LIMITS
) -> AsyncIterator[SharedClient]:
    """
    Give the client of a connection; the first user opens it, the last one closes it.

    :param comms_conn_id: id of the Airflow connection.
    :param read_settings: reads the connection; what it raises at the first reading is raised here.
    """
    on_this_loop = _shared.setdefault(asyncio.get_running_loop(), {})
    shared = on_this_loop.setdefault(comms_conn_id, SharedClient(comms_conn_id, read_settings, limits))
    shared.users += 1
    try:
        await shared.open()
        yield shared
    finally:
        shared.users -= 1
        if not shared.users:
            del on_this_loop[comms_conn_id]
            await shared.aclose()

"""One client per connection and event loop, shared by all triggers that wait on it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_provider_comms.comms.client import AsyncCommsClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from airflow_provider_comms.comms.settings import ClientSettings

    ReadSettings = Callable[[], Awaitable[ClientSettings]]

log = logging.getLogger(__name__)


class SharedClient:
    """
    The client of a connection.

    :param comms_conn_id: id of the Airflow connection, for the log.
    :param read_settings: reads the connection, again at every call.
    """

    def __init__(self, comms_conn_id: str, read_settings: ReadSettings) -> None:
        self.users = 0
        self._comms_conn_id = comms_conn_id
        self._read_settings = read_settings
        self._opening = asyncio.Lock()
        self._opened: list[tuple[ClientSettings, AsyncCommsClient]] = []

    async def open(self) -> None:
        """Read the connection and make the client, unless that is done."""
        async with self._opening:
            if not self._opened:
                self._open(await self._read_settings())

    def _open(self, settings: ClientSettings) -> None:
        self._opened.append((settings, AsyncCommsClient(settings)))

    @property
    def client(self) -> AsyncCommsClient:
        """The client in force; there is one once :meth:`open` has returned."""
        return self._opened[-1][1]

    async def renew(self, refused: AsyncCommsClient) -> bool:
        """
        Read the connection again: a token may have been rotated since.

        The old client stays open for those who are talking, until all have left.

        :param refused: the client whose credentials were refused.
        :return: whether another client is in force now.
        """
        async with self._opening:
            if self.client is refused and (settings := await self._changed_settings()):
                self._open(settings)
                log.info("The connection %s has changed; waits on it go on.", self._comms_conn_id)
            return self.client is not refused

    async def _changed_settings(self) -> ClientSettings | None:
        old, _ = self._opened[-1]
        try:
            new = await self._read_settings()
        except Exception:
            # Whatever a secrets backend raises: the client in force stays, and so do the waits.
            log.warning("Could not read the connection %s again.", self._comms_conn_id, exc_info=True)
            return None
        return None if new == old else new

    async def aclose(self) -> None:
        """Close what was opened."""
        for _, client in self._opened:
            await client.aclose()


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedClient]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_client(comms_conn_id: str, read_settings: ReadSettings) -> AsyncIterator[SharedClient]:
    """
    Give the client of a connection; the first user opens it, the last one closes it.

    :param comms_conn_id: id of the Airflow connection.
    :param read_settings: reads the connection; what it raises at the first reading is raised here.
    """
    on_this_loop = _shared.setdefault(asyncio.get_running_loop(), {})
    shared = on_this_loop.setdefault(comms_conn_id, SharedClient(comms_conn_id, read_settings))
    shared.users += 1
    try:
        await shared.open()
        yield shared
    finally:
        shared.users -= 1
        if not shared.users:
            del on_this_loop[comms_conn_id]
            await shared.aclose()

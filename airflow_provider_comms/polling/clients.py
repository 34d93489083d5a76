"""One client per connection and event loop, shared by all triggers that wait on it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.hooks.comms import CommsHook, open_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

log = logging.getLogger(__name__)


class SharedClient:
    """
    The client of a connection.

    :param comms_conn_id: id of the Airflow connection.
    """

    def __init__(self, comms_conn_id: str) -> None:
        self.users = 0
        self._hook = CommsHook(comms_conn_id)
        self._opening = asyncio.Lock()
        self._opened: list[tuple[ClientSettings, AsyncCommsClient]] = []

    async def open(self) -> None:
        """Read the connection and make the client, unless that is done."""
        async with self._opening:
            if not self._opened:
                await self._open(await self._hook.aget_settings())

    async def _open(self, settings: ClientSettings) -> None:
        self._opened.append((settings, await open_client(settings)))

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
                await self._open(settings)
                log.info("The connection %s has changed; waits on it go on.", self._hook.comms_conn_id)
            return self.client is not refused

    async def _changed_settings(self) -> ClientSettings | None:
        old, _ = self._opened[-1]
        try:
            new = await self._hook.aget_settings()
        except (AirflowNotFoundException, CommsSettingsError) as error:
            log.warning("The connection %s was refused, and cannot be read again: %s", self._hook.comms_conn_id, error)
            return None
        return None if new == old else new

    async def aclose(self) -> None:
        """Close what was opened."""
        for _, client in self._opened:
            await client.aclose()


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedClient]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_client(comms_conn_id: str) -> AsyncIterator[SharedClient]:
    """
    Give the client of a connection; the first user opens it, the last one closes it.

    :param comms_conn_id: id of the Airflow connection.
    """
    on_this_loop = _shared.setdefault(asyncio.get_running_loop(), {})
    shared = on_this_loop.setdefault(comms_conn_id, SharedClient(comms_conn_id))
    shared.users += 1
    try:
        await shared.open()
        yield shared
    finally:
        shared.users -= 1
        if not shared.users:
            del on_this_loop[comms_conn_id]
            await shared.aclose()

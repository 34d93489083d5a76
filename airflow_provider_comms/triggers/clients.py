"""One client per connection and event loop, shared by all triggers that wait on it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_provider_comms.hooks.comms import CommsHook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_comms.comms.client import AsyncCommsClient


@dataclass
class _Shared:
    users: int = 0
    client: AsyncCommsClient | None = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Shared]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_client(comms_conn_id: str) -> AsyncIterator[AsyncCommsClient]:
    """
    Give the client of a connection; the first user opens it, the last one closes it.

    :param comms_conn_id: id of the Airflow connection.
    """
    on_this_loop = _shared.setdefault(asyncio.get_running_loop(), {})
    shared = on_this_loop.setdefault(comms_conn_id, _Shared())
    shared.users += 1
    try:
        async with shared.opening:
            if shared.client is None:
                shared.client = await CommsHook(comms_conn_id).get_async_conn()
        yield shared.client
    finally:
        shared.users -= 1
        if not shared.users:
            del on_this_loop[comms_conn_id]
            if shared.client is not None:
                await shared.client.aclose()

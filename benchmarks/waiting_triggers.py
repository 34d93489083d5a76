"""The triggers that ours is measured beside; a triggerer imports them by their paths."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook
from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow.providers.common.compat.sdk import Connection

ENDED = {"COMPLETED", "CANCELED"}


class SleepingTrigger(BaseTrigger):
    """
    Know when to fire, and sleep until then: what is left is Airflow's own.

    :param operation_id: id of the operation.
    :param ends_at: in seconds since the epoch.
    """

    def __init__(self, operation_id: str, ends_at: float) -> None:
        super().__init__()
        self.operation_id = operation_id
        self.ends_at = ends_at

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return _path_of(self), {"operation_id": self.operation_id, "ends_at": self.ends_at}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await asyncio.sleep(self.ends_at - time())
        yield _event({"id": self.operation_id})


class CountingTrigger(BaseTrigger):
    """
    Write down again and again how many asyncio tasks the triggerer has, and never fire.

    :param path: of the file that has the latest number.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return _path_of(self), {"path": self.path}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while True:
            Path(self.path).write_text(str(len(asyncio.all_tasks())))  # noqa: ASYNC240
            await asyncio.sleep(1)
        yield  # Makes it a generator.


class OwnSessionTrigger(BaseTrigger):
    """
    Look at the operation in a new aiohttp session each time, as providers' triggers do.

    :param operation_id: id of the operation.
    :param poke_interval: seconds between two polls.
    :param comms_conn_id: id of the Airflow connection.
    """

    def __init__(self, operation_id: str, poke_interval: float, comms_conn_id: str) -> None:
        super().__init__()
        self.operation_id = operation_id
        self.poke_interval = poke_interval
        self.comms_conn_id = comms_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return _path_of(self), {
            "operation_id": self.operation_id,
            "poke_interval": self.poke_interval,
            "comms_conn_id": self.comms_conn_id,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        connection = await BaseHook.aget_connection(self.comms_conn_id)
        while True:
            # A worker has polled just before.
            await asyncio.sleep(self.poke_interval)
            operation = await self._look(connection)
            if operation["status"] in ENDED:
                yield _event(operation)
                return

    async def _look(self, connection: Connection) -> dict[str, Any]:
        import aiohttp

        async with (
            aiohttp.ClientSession(auth=aiohttp.BasicAuth(connection.login, connection.password)) as session,
            session.get(f"{connection.host}/v1/Emails/Operations/{self.operation_id}") as answer,
        ):
            answer.raise_for_status()
            return await answer.json()


def _path_of(trigger: BaseTrigger) -> str:
    return f"{type(trigger).__module__}.{type(trigger).__qualname__}"


def _event(operation: dict[str, Any]) -> TriggerEvent:
    """Return an event like that of ours, so that Airflow has as much to write."""
    return TriggerEvent({"verdict": "finished", "message": None, "operations": [operation]})

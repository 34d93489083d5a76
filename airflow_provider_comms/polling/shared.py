"""One poller per connection, resource and event loop, as long as there are waits; if it fails, it is restarted."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_provider_comms.polling.clients import SharedClient, shared_client
from airflow_provider_comms.polling.errors import NotPolledError
from airflow_provider_comms.polling.limits import DEFAULT_LIMITS
from airflow_provider_comms.polling.poller import Poller
from airflow_provider_comms.polling.status_scan import StatusScan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.polling.clients import ReadSettings
    from airflow_provider_comms.polling.limits import PollLimits

    OnPoll = Callable[[Resource, float], None]

log = logging.getLogger(__name__)


class _Supervised:
    """
    A poller, and the task in which it runs.

    :param name: of the task.
    :param clients: the connection's client.
    :param resource: what is waited for.
    """

    def __init__(
        self, name: str, clients: SharedClient, resource: Resource, limits: PollLimits, on_poll: OnPoll
    ) -> None:
        self.users = 0
        self._name = name
        self.poller = Poller(
            lambda report: StatusScan(clients, resource, report, limits), lambda seconds: on_poll(resource, seconds)
        )
        self._limits = limits
        self._restart: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._start()

    async def aclose(self) -> None:
        """Leave off."""
        self._is_closed = True
        if self._restart is not None:
            self._restart.cancel()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.poller.aclose()

    def _start(self, cause: BaseException | None = None) -> None:
        # In a context of its own: else its log lines would land in the log of the task that happened to be first.
        self._task = asyncio.create_task(self._run(cause), name=self._name, context=contextvars.Context())
        self._task.add_done_callback(self._died)

    async def _run(self, cause: BaseException | None) -> None:
        if cause is not None:
            log.error("The poll failed unexpectedly and was restarted.", exc_info=cause)
            reason = f"The poll failed unexpectedly and was restarted: {type(cause).__name__}; see the triggerer's log."
            await self.poller.report_to_all(NotPolledError(reason))
        await self.poller.run()

    def _died(self, task: asyncio.Task[None]) -> None:
        """Start again a little later: neither a defect nor a stray cancellation may leave the waits in silence."""
        if self._is_closed:
            return
        cause = asyncio.CancelledError() if task.cancelled() else task.exception()
        self._restart = asyncio.get_running_loop().call_later(self._limits.restart_after, self._start, cause)


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], _Supervised]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_poller(
    comms_conn_id: str,
    resource: Resource,
    read_settings: ReadSettings,
    limits: PollLimits = DEFAULT_LIMITS,
    on_poll: OnPoll = lambda _resource, _seconds: None,
) -> AsyncIterator[Poller]:
    """
    Give the poller of a connection and resource; the first user starts it, the last one ends it.

    :param comms_conn_id: id of the Airflow connection.
    :param resource: what is waited for.
    :param read_settings: reads the connection; what it raises at the first reading is raised here.
    :param limits: of the first user; they hold for all.
    :param on_poll: told after each poll how many seconds it took; likewise.
    """
    async with shared_client(comms_conn_id, read_settings, limits) as clients:
        pollers = _shared.setdefault(asyncio.get_running_loop(), {})
        key = (comms_conn_id, resource.value)
        if key not in pollers:
            pollers[key] = _Supervised(f"poll {comms_conn_id} {resource}", clients, resource, limits, on_poll)
        shared = pollers[key]
        shared.users += 1
        try:
            yield shared.poller
        finally:
            shared.users -= 1
            if not shared.users:
                del pollers[key]
                await shared.aclose()

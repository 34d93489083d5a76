"""The trigger: the wait goes on in the triggerer."""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from time import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

from airflow_provider_comms.comms.arguments import check_resource
from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.tasks.arguments import ids_of
from airflow_provider_comms.triggers.end_in_triggerer import push_xcoms, rendered_ids
from airflow_provider_comms.triggers.log_writer import LineWriter
from airflow_provider_comms.waiting.outcome import Failed, Waiting, event_of, policy_of
from airflow_provider_comms.waiting.pace import DEFAULT_GRACE, DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_comms.polling.poller import Poller
    from airflow_provider_comms.waiting.wait import Wait


LATE = 15.0
"""Seconds that the last look may take beyond the deadline."""


_HEAVY = ("waiting.wait", "polling.poller", "comms.client")
_is_loaded = threading.Event()


class CommsOperationTrigger(BaseTrigger):
    """
    Wait until operations have ended, and send one event that says how.

    Rows of older versions are read for ever: what is missing takes its default, what is not known is ignored, and
    nothing is checked before it runs (a trigger that cannot be made would leave its task waiting).

    :param resource: "emails" or "messages".
    :param operation_id: id of the operation, or a list of ids.
    :param comms_conn_id: id of the Airflow connection. No secret is kept here: the row is stored in clear text.
    :param poke_interval: seconds between two looks.
    :param started_at: when the wait began, in seconds since the epoch; now if missing.
    :param timeout: seconds from then until the wait is given up.
    :param next_look_at: when the next look is due, in seconds since the epoch; at once if missing.
    :param on_canceled: as the sensor has it.
    :param fail_if: as the sensor has it.
    :param adaptive: as the sensor has it.
    :param grace: as the sensor has it.
    :param ends_task: let a wait that ends as wished end its task here too, without a worker (Airflow 3.3).
    """

    def __init__(  # noqa: PLR0917  (Airflow calls it by name; no order is promised)
        self,
        resource: str = "",
        operation_id: str | list[str] = "",
        comms_conn_id: str = DEFAULT_CONN_ID,
        poke_interval: float = 60.0,
        started_at: float | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        next_look_at: float = 0.0,
        on_canceled: str = "succeed",
        fail_if: dict[str, Any] | None = None,
        adaptive: bool = False,
        grace: float = DEFAULT_GRACE,
        ends_task: bool = False,
        **_: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.resource = resource
        self.operation_id = operation_id
        self.comms_conn_id = comms_conn_id
        self.poke_interval = poke_interval
        self.started_at = started_at
        self.timeout = timeout
        self.next_look_at = next_look_at
        self.on_canceled = on_canceled
        self.fail_if = fail_if or {}
        self.adaptive = adaptive
        self.grace = grace
        self.ends_task = ends_task

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make this trigger again."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "resource": self.resource,
                "operation_id": self.operation_id,
                "comms_conn_id": self.comms_conn_id,
                "poke_interval": self.poke_interval,
                "started_at": self.started_at,
                "timeout": self.timeout,
                "next_look_at": self.next_look_at,
                "on_canceled": self.on_canceled,
                "fail_if": self.fail_if,
                "adaptive": self.adaptive,
                "grace": self.grace,
                "ends_task": self.ends_task,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until the wait has ended; then send its event (see `Wait.event`), or end the task."""
        event = await self._event()
        if self.ends_task and await push_xcoms(event, self):
            yield TaskSuccessEvent()
        else:
            yield TriggerEvent(event)

    async def _event(self) -> dict[str, Any]:
        await _load()
        lines = LineWriter(self.log)
        try:
            event = await self._look_on(self._wait(lines))
        except CommsError as error:
            # Not an answer of the API: an argument or the connection is wrong.
            event = event_of(Failed("refused", str(error)))
        except AirflowNotFoundException as error:
            event = event_of(Failed("no connection", str(error)))
        await lines.written()
        return event

    async def _look_on(self, wait: Wait) -> dict[str, Any]:
        from airflow_provider_comms.polling.poller import shared_poller

        hook = CommsHook(self.comms_conn_id)
        async with shared_poller(self.comms_conn_id, wait.resource, hook.aget_settings) as poller:
            try:
                async with asyncio.timeout(wait.remaining(wait.now()) + LATE):
                    return await self._end_of(wait, poller)
            except TimeoutError:
                # The API holds the last look up: judge by what is known.
                return wait.event(wait.look({}, wait.now()))

    async def _end_of(self, wait: Wait, poller: Poller) -> dict[str, Any]:
        delay = wait.delay_until(self.next_look_at, wait.now())
        while True:
            news = await poller.news(
                wait.pending,
                wait.seen,
                due_in=delay,
                interval=self.poke_interval,
                unchanged_for=wait.unchanged_for(wait.now()),
            )
            verdict = wait.look(news.seen, wait.now(), news.looks)
            if not isinstance(verdict, Waiting):
                return wait.event(verdict)
            delay = wait.delay(wait.now())

    def _wait(self, lines: LineWriter) -> Wait:
        from airflow_provider_comms.waiting.wait import Wait

        resource = check_resource(self.resource)
        self.operation_id = rendered_ids(self.operation_id)
        return Wait(
            resource=resource,
            operation_ids=ids_of(self.operation_id),
            policy=policy_of(resource, self.on_canceled, self.fail_if),
            poke_interval=self.poke_interval,
            started_at=time() if self.started_at is None else self.started_at,
            timeout=self.timeout,
            log=lines,
            log_completion=self.ends_task,
            adaptive=self.adaptive,
            grace=self.grace,
        )


async def _load() -> None:
    """Import what a wait needs, and a DAG file does not; beside the loop, which it would hold up for 100 ms."""
    if not _is_loaded.is_set():
        await asyncio.to_thread(_import)


def _import() -> None:
    for name in _HEAVY:
        import_module(f"airflow_provider_comms.{name}")
    _is_loaded.set()

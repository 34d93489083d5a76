"""The trigger: the wait in the triggerer."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from importlib import import_module
from platform import node
from time import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

from airflow_provider_comms import __version__
from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.metrics import count_wait, time_poll
from airflow_provider_comms.triggers.end_in_triggerer import push_xcoms
from airflow_provider_comms.triggers.hand_over import hand_over
from airflow_provider_comms.triggers.log_writer import LineWriter
from airflow_provider_comms.waiting.description import begun_line, ended_line
from airflow_provider_comms.waiting.event import WaitEnd, encode
from airflow_provider_comms.waiting.spec import OPTIONS, WaitSpec
from airflow_provider_comms.waiting.targets import Targets, label_of, other_resource
from airflow_provider_comms.waiting.verdict import Failed, Waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_comms.polling.poller import Poller
    from airflow_provider_comms.waiting.verdict import Verdict
    from airflow_provider_comms.waiting.wait import Wait


LARGEST = 1e12
"""Seconds; no time or count of a row is more."""
MAX_OVERRUN = 15.0
"""Seconds that the last poll may take beyond the deadline."""


_HEAVY = ("waiting.wait", "polling.shared", "comms.client")
_is_loaded = threading.Event()


class CommsOperationTrigger(BaseTrigger):
    """
    Wait until operations have ended, and send one event that says how.

    Rows of older versions stay readable: what is missing or of another type takes its default, what is not known is
    ignored, and nothing is checked before it runs (a trigger that cannot be made would leave its task waiting).

    :param resource: "emails" or "messages".
    :param operation_id: id of the operation, or a list of ids.
    :param comms_conn_id: id of the Airflow connection. No secret is kept here: the row is stored in clear text.
    :param started_at: when the wait began, in seconds since the epoch; now if missing.
    :param next_poll_at: when the next poll is due, in seconds since the epoch; at once if missing.
    :param polls: how many polls there were before.
    :param retry_at: by id, before when it is not to be asked for, in seconds since the epoch.
    :param ends_task: let a wait that succeeds end its task here too, without a worker (Airflow 3.3).
    :param options: of the wait, as `waiting.spec.WaitSpec.to_json` gives them; `next_look_at` is what 0.1.0 called
        `next_poll_at`.
    """

    def __init__(  # noqa: PLR0917  (Airflow calls it by name; no order is promised)
        self,
        resource: str = "",
        operation_id: str | list[str] = "",
        comms_conn_id: str = DEFAULT_CONN_ID,
        started_at: float | None = None,
        next_poll_at: float = 0.0,
        polls: int = 0,
        retry_at: dict[str, float] | None = None,
        ends_task: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.resource = resource
        self.operation_id = operation_id
        self.comms_conn_id = comms_conn_id if isinstance(comms_conn_id, str) else DEFAULT_CONN_ID
        self.started_at = _number(started_at)
        self.next_poll_at = _number(next_poll_at) or _number(options.get("next_look_at")) or 0.0
        self.polls = int(_number(polls) or 0)
        self.retry_at = _numbers(retry_at)
        self.ends_task = ends_task is True
        self.options = {**WaitSpec().to_json(), **{name: options[name] for name in OPTIONS if name in options}}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make this trigger again."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "resource": self.resource,
                "operation_id": self.operation_id,
                "comms_conn_id": self.comms_conn_id,
                "started_at": self.started_at,
                "next_poll_at": self.next_poll_at,
                "polls": self.polls,
                "retry_at": self.retry_at,
                "ends_task": self.ends_task,
                **self.options,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the wait has ended; then send its event (see `waiting.event`), or end the task."""
        await _load()
        async with LineWriter(self.log) as lines:
            end = await self._end(lines)
            if self.task_instance is not None:  # Only a triggerer collects tasks, and has to be spared.
                await hand_over().turn()
            ends_here = self.ends_task and await push_xcoms(end, self)
            if ends_here:
                lines.log(logging.INFO, "%s", ended_line(end.operations, end.waited))
                count_wait(end)
        yield TaskSuccessEvent() if ends_here else TriggerEvent(encode(end))

    async def _end(self, lines: LineWriter) -> WaitEnd:
        try:
            return await self._run_wait(self._wait(lines))
        except CommsError as error:
            # Not an answer of the API: an argument or the connection is wrong.
            return WaitEnd(verdict=Failed("refused", str(error)))
        except AirflowNotFoundException as error:
            return WaitEnd(verdict=Failed("no connection", str(error)))
        except (TimeoutError, OSError) as error:
            text = f"Could not read the connection {self.comms_conn_id}: {_described(error)}."
            return WaitEnd(verdict=Failed("no connection", text))

    async def _run_wait(self, wait: Wait) -> WaitEnd:
        from airflow_provider_comms.polling.shared import shared_poller

        self._log_begin(wait)
        hook = CommsHook(self.comms_conn_id)
        async with shared_poller(
            self.comms_conn_id, wait.targets.resource, hook.aget_settings, on_poll=time_poll
        ) as poller:
            try:
                async with asyncio.timeout(wait.remaining(wait.now()) + MAX_OVERRUN) as deadline:
                    return await self._poll_to_end(wait, poller, hook)
            except TimeoutError:
                if not deadline.expired():  # Somebody else's.
                    raise
            # The API holds the last poll up: judge by what is known.
            return wait.end(wait.overdue(), wait.now())

    def _log_begin(self, wait: Wait) -> None:
        line = begun_line(node(), __version__, wait.now() - wait.started_at)
        targets = wait.targets
        wait.log.log(logging.INFO, "%s (%s %s)", line, targets.resource.value, label_of(targets.ids))

    async def _poll_to_end(self, wait: Wait, poller: Poller, hook: CommsHook) -> WaitEnd:
        delay = wait.delay_until(self.next_poll_at, wait.now())
        while True:
            update = await poller.wait_for_update(
                wait.due(wait.now() + delay),
                wait.seen,
                due_in=delay,
                interval=wait.spec.poke_interval,
                unchanged_for=wait.unchanged_for(wait.now()),
                deadline_in=wait.remaining(wait.now()),
            )
            verdict = wait.update(update.found, wait.now(), update.polls)
            if wait.unknown_ids:
                verdict = await self._ask_elsewhere(wait, hook)
            if not isinstance(verdict, Waiting):
                return wait.end(verdict, wait.now())
            delay = wait.delay(wait.now())

    async def _ask_elsewhere(self, wait: Wait, hook: CommsHook) -> Verdict:
        from airflow_provider_comms.polling.clients import shared_client

        resource, ids = other_resource(wait.targets.resource), wait.unknown_ids
        async with shared_client(self.comms_conn_id, hook.aget_settings) as shared:
            found = await shared.ask(lambda client: client.try_operations(resource, ids))
        return wait.note_elsewhere(found, wait.now())

    def _wait(self, lines: LineWriter) -> Wait:
        from airflow_provider_comms.waiting.wait import Wait

        targets = Targets.of(self.resource, self.operation_id)
        return Wait(
            targets=targets,
            spec=WaitSpec.from_json(self.options).check_for(targets.resource),
            started_at=time() if self.started_at is None else self.started_at,
            log=lines,
            polls=self.polls,
            retry_at=dict(self.retry_at),
        )


def _number(value: object) -> float | None:
    """Return a number of a row; None in the place of what no version has written."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and abs(value) < LARGEST else None  # type: ignore[arg-type,return-value]


def _numbers(value: object) -> dict[str, float]:
    items = value.items() if isinstance(value, Mapping) else ()
    return {key: number for key, one in items if (number := _number(one)) is not None}


def _described(error: BaseException) -> str:
    said = excerpt(str(error))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


async def _load() -> None:
    """Import what a wait needs, and a DAG file does not; beside the loop, which it would hold up for 100 ms."""
    if not _is_loaded.is_set():
        await asyncio.to_thread(_import)


def _import() -> None:
    for name in _HEAVY:
        import_module(f"airflow_provider_comms.{name}")
    _is_loaded.set()

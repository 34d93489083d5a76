"""A wait that a worker began goes on in the triggerer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_comms.waiting.wait import Wait

SCHEDULER_MARGIN = timedelta(minutes=5)
"""How much longer Airflow's scheduler waits than the trigger, which can say what it waited for."""


def defer_wait(task: Any, wait: Wait, *, ends_task: bool = False) -> None:
    """
    Leave the worker; the task resumes in its method `execute_complete`.

    :param task: operator or sensor with a `comms_conn_id`.
    :param ends_task: let a wait that succeeds end the task in the triggerer.
    :raises TaskDeferred: always.
    """
    from airflow_provider_comms.triggers.operation import CommsOperationTrigger

    now, targets = wait.now(), wait.targets
    trigger = CommsOperationTrigger(
        resource=targets.resource.value,
        operation_id=list(targets.ids) if targets.is_list else targets.ids[0],
        comms_conn_id=task.comms_conn_id,
        started_at=wait.started_at,
        next_poll_at=now + wait.delay(now),
        polls=wait.polls,
        retry_at={one: at for one, at in wait.retry_at.items() if at > now},
        ends_task=ends_task,
        **wait.spec.to_json(),
    )
    remaining = timedelta(seconds=wait.remaining(now))
    task.defer(trigger=trigger, method_name="execute_complete", timeout=remaining + SCHEDULER_MARGIN)

"""
A wait that starts and ends in the triggerer (Airflow 3.3): what the trigger does in a worker's place.

Airflow 3 stores the XComs of a TaskSuccessEvent as JSON within JSON, so that a task downstream would get text.
So the XCom is set first, the way a worker sets it, and the event carries none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.links.console import TwilioConsoleLink
from airflow_provider_comms.waiting.verdict import Finished

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

    from airflow_provider_comms.waiting.event import WaitEnd


async def push_xcoms(end: WaitEnd, trigger: BaseTrigger) -> bool:
    """
    Set the task's XComs from the triggerer, where the wait succeeds without a warning.

    Every other end goes through a worker, where `soft_fail`, callbacks and the log do what they promise.

    :param trigger: the task's; it has no task instance under `airflow dags test`.
    :return: whether the task can end here.
    """
    ti = trigger.task_instance
    if end.verdict != Finished() or ti is None:
        return False
    try:
        from airflow.sdk.execution_time.xcom import XCom

        store = XCom.aset
    except (ImportError, AttributeError):
        return False  # Airflow before 3.3.
    task = {"dag_id": ti.dag_id, "task_id": ti.task_id, "run_id": ti.run_id, "map_index": ti.map_index}
    link = TwilioConsoleLink()
    await store("return_value", end.operations if end.is_list else end.operations[0], **task)
    await store(link.xcom_key, link.get_link(trigger, ti_key=ti), **task)
    return True

"""
A wait that lives in the triggerer from beginning to end (Airflow 3.3): what the trigger does in a worker's place.

Airflow 3 stores the XComs of a TaskSuccessEvent as JSON within JSON, so that a task downstream would get text.
So the XCom is set first, the way a worker sets it, and the event carries none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.links.console import TwilioConsoleLink
from airflow_provider_comms.tasks.arguments import is_collection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_comms.triggers.operation import CommsOperationTrigger


def rendered_ids(operation_id: Any) -> Any:
    """Return what a template became in the triggerer: an XCom comes as JSON text there, anything else as it is."""
    if isinstance(operation_id, str) and operation_id[:1] in ('"', "[", "{"):
        try:
            return json.loads(operation_id)
        except ValueError:
            return operation_id
    return operation_id


async def push_xcoms(event: Mapping[str, Any], trigger: CommsOperationTrigger) -> bool:
    """
    Set the task's XComs from the triggerer, where the wait ended as wished and without a warning.

    Every other end goes through a worker, where `soft_fail`, callbacks and the log do what they promise.

    :param event: of the wait.
    :param trigger: the task's; it has no task instance under `airflow dags test`.
    :return: whether the task can end here.
    """
    ti = trigger.task_instance
    if event["verdict"] != "finished" or event["message"] or ti is None:
        return False
    try:
        from airflow.sdk.execution_time.xcom import XCom

        store = XCom.aset
    except (ImportError, AttributeError):
        return False  # Airflow before 3.3.
    task = {"dag_id": ti.dag_id, "task_id": ti.task_id, "run_id": ti.run_id, "map_index": ti.map_index}
    operations, link = event["operations"], TwilioConsoleLink()
    await store("return_value", operations if is_collection(trigger.operation_id) else operations[0], **task)
    await store(link.xcom_key, link.get_link(trigger, ti_key=ti), **task)
    return True

"""
A wait that lives in the triggerer from beginning to end (Airflow 3.3): what the trigger does in a worker's place.

Airflow 3 stores the XComs of a TaskSuccessEvent as JSON within JSON, so that a task downstream would get text.
So the XCom is set first, the way a worker sets it, and the event carries none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def rendered_ids(operation_id: Any) -> Any:
    """Return what a template became in the triggerer: an XCom comes as JSON text there, anything else as it is."""
    if isinstance(operation_id, str) and operation_id[:1] in ('"', "[", "{"):
        try:
            return json.loads(operation_id)
        except ValueError:
            return operation_id
    return operation_id


async def hand_on(event: Mapping[str, Any], task_instance: Any, *, several: bool) -> bool:
    """
    Set the task's XCom from the triggerer, where the wait ended as wished and without a warning.

    Every other end goes through a worker, where `soft_fail`, callbacks and the log do what they promise.

    :param event: of the wait.
    :param task_instance: the trigger's; None under `airflow dags test`.
    :param several: whether the task returns a list.
    :return: whether the task can end here.
    """
    if event["verdict"] != "finished" or event["message"] or task_instance is None:
        return False
    try:
        from airflow.sdk.execution_time.xcom import XCom

        store = XCom.aset
    except (ImportError, AttributeError):
        return False  # Airflow before 3.3.
    operations = event["operations"]
    await store(
        "return_value",
        operations if several else operations[0],
        dag_id=task_instance.dag_id,
        task_id=task_instance.task_id,
        run_id=task_instance.run_id,
        map_index=task_instance.map_index,
    )
    return True

"""What a task hands on of an operation: the same XCom from sensor, operator and command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.timestamps import format_utc

if TYPE_CHECKING:
    from airflow_provider_comms.comms.models import Operation


def operation_xcom(operation: Operation) -> dict[str, Any]:
    """
    Return what a task hands on of an operation: plain JSON of a few hundred bytes.

    :return: `{"id", "resource", "status", "created_at", "updated_at", "stats"}`; timestamps in ISO 8601 and UTC,
        stats as counter to whole number, those that the API reported.
    """
    return {
        "id": operation.id,
        "resource": operation.resource.value,
        "status": str(operation.status),
        "created_at": format_utc(operation.created_at),
        "updated_at": format_utc(operation.updated_at),
        "stats": operation.stats.counters(),
    }

"""What a task hands on of an operation: the same XCom from sensor, operator and command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.timestamps import format_utc
from airflow_provider_comms.reports.figures import figures, totals
from airflow_provider_comms.reports.rates import rates

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.xcoms import OperationState, OperationXCom, Sums


def operation_xcom(operation: Operation) -> OperationXCom:
    """
    Return what a task hands on of an operation: plain JSON of a few hundred bytes.

    :return: `{"id", "resource", "status", "created_at", "updated_at", "stats", "figures", "rates"}`; timestamps in
        ISO 8601 and UTC, stats as counter to whole number, those that the API reported; figures and rates are derived
        from them, see `reports.figures` and `reports.rates`.
    """
    state: OperationState = {
        "id": operation.id,
        "resource": operation.resource.value,
        "status": str(operation.status),
        "created_at": format_utc(operation.created_at),
        "updated_at": format_utc(operation.updated_at),
        "stats": operation.stats.counters(),
    }
    return with_figures(state)


def sums_of(operations: Collection[OperationXCom]) -> Sums:
    """Return the counters and figures of operations added up, and rates of the sums."""
    figures = totals(one["figures"] for one in operations)
    return {"stats": totals(one["stats"] for one in operations), "figures": figures, "rates": rates(figures)}


def with_figures(state: OperationState) -> OperationXCom:
    """Return the XCom with figures and rates, which events of version 0.1.0 do not have."""
    derived = figures(Resource(state["resource"]), state["stats"])
    return {**state, "figures": derived, "rates": rates(derived)}

"""
Wait for several operations, one mapped task for each, and add up their delivery stats.

Trigger it with `{"operation_ids": ["comms_operation_...", "comms_operation_..."]}`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from airflow_provider_comms.sensors.operation import CommsOperationSensor

with DAG(
    dag_id="comms_mapped_operations",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 1},
    params={"operation_ids": Param(["comms_operation_01h9krwprkeee8fzqspvwy6nq8"], type="array", minItems=1)},
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:

    @task
    def operation_ids(params: dict[str, list[str]] | None = None) -> list[str]:
        """Stand in for tasks that send and return the id of their operation."""
        return (params or {})["operation_ids"]

    wait = CommsOperationSensor.partial(task_id="wait", resource="emails", deferrable=True, poke_interval=7).expand(
        operation_id=operation_ids()
    )

    export_stats = CommsExportStatsOperator(task_id="export_stats", resource="emails", operation_id=wait.output)

    @task
    def use_stats(figures: dict[str, int]) -> int:
        """Take the sums over all operations."""
        print(f"Reached {figures['reached']} of {figures['recipients']} recipients in all.")
        return figures["reached"]

    use_stats(export_stats.output["figures"])

"""
Wait for one operation, export its delivery stats and use them.

Trigger it with the id that Twilio returned for the send:
`{"resource": "emails", "operation_id": "comms_operation_..."}`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from airflow_provider_comms.reports.rates import percent
from airflow_provider_comms.sensors.operation import CommsOperationSensor

with DAG(
    dag_id="comms_wait_and_report",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 1},
    params={
        "resource": Param("emails", enum=["emails", "messages"]),
        "operation_id": Param("comms_operation_01h9krwprkeee8fzqspvwy6nq8", type="string"),
    },
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:
    wait = CommsOperationSensor(
        task_id="wait",
        resource="{{ params.resource }}",
        operation_id="{{ params.operation_id }}",
        deferrable=True,
        poke_interval=7,
    )

    export_stats = CommsExportStatsOperator(
        task_id="export_stats",
        resource="{{ params.resource }}",
        operation_id=wait.output,
    )

    @task
    def use_stats(figures: dict[str, int], rates: dict[str, float | None]) -> str:
        """Use the figures like any other numbers."""
        share = percent(rates["reached_of_recipients"])
        sentence = f"{figures['reached']} of {figures['recipients']} reached ({share})"
        print(sentence)
        return sentence

    use_stats(export_stats.output["figures"], export_stats.output["rates"])

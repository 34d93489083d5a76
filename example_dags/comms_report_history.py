"""
Keep a history that outlives Twilio's 7 days: a file per resource and day, and an alert if too few were reached.

Each run replaces the last six days with their latest numbers, because opens and reads keep growing. Trigger it with
`{"output": "s3://aws_default@bucket/history"}`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from tempfile import gettempdir

from airflow.providers.common.compat.sdk import DAG, Param, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_comms.operators.report import CommsReportOperator

with DAG(
    dag_id="comms_report_history",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2},
    params={"output": Param(f"{gettempdir()}/comms-history", type="string")},
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:
    history = CommsReportOperator(
        task_id="history",
        resource=["emails", "messages"],
        # Empty if the run has no data interval, for example if a REST call started it; the error then says what to do.
        window_start="{{ data_interval_end.subtract(days=6) if data_interval_end is defined else '' }}",
        window_end="{{ data_interval_end | default('') }}",
        output="{{ params.output }}",
        partition_by="day",
        fail_if={"reached": "< 95%"},
    )

    @task(trigger_rule="one_failed")
    def alert(violations: list[str]) -> str:
        """Run if a limit is broken: everything is published by then, and the report's XCom can be read."""
        print("; ".join(violations))
        return "; ".join(violations)

    alert(history.output["violations"])

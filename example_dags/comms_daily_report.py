"""
Every day, report on the operations of the day before: a page, rows, and a summary in words.

The data interval must span the day, so the schedule is a CronDataIntervalTimetable: a plain cron expression gives
empty intervals in Airflow 3. Trigger it with `{"output": "s3://aws_default@bucket/reports"}` to keep the files.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import DAG, Param, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_comms.operators.report import CommsReportOperator

with DAG(
    dag_id="comms_daily_report",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2},
    params={"output": Param("", type="string", description="folder for the files; empty for none")},
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:
    report = CommsReportOperator(
        task_id="report",
        resource=["emails", "messages"],
        output="{{ params.output }}",
        formats=["jsonl.gz"],
    )

    @task
    def announce(report: dict[str, Any]) -> str:
        """Stand in for a message to the team: the summary is text and Markdown."""
        text: str = report["summary"]["text"]
        print(text)
        return text

    announce(report.output)

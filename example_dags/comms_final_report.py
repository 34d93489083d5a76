"""
Report on the day before once it is complete: once all of its operations have ended and could be read.

The task's errors have types, so Airflow's ExceptionRetryPolicy (3.3 and later) can use a different delay for each; an
older Airflow always waits `retry_delay`. Permanent errors fail the task without retries.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_comms.operators.report import CommsReportOperator

try:
    from airflow.sdk import ExceptionRetryPolicy, RetryRule
except ImportError:
    policy: dict[str, Any] = {}
else:
    policy = {
        "retry_policy": ExceptionRetryPolicy(
            rules=[
                RetryRule(
                    exception="airflow_provider_comms.exceptions.CommsReportIncomplete",
                    retry_delay=timedelta(hours=1),
                    reason="operations have not ended yet",
                ),
                RetryRule(
                    exception="airflow_provider_comms.comms.errors.CommsRateLimitError",
                    retry_delay=timedelta(minutes=15),
                    reason="Twilio throttles the account",
                ),
                RetryRule(
                    exception="airflow_provider_comms.comms.errors.CommsUnreachableError",
                    retry_delay=timedelta(minutes=1),
                    reason="no connection to Twilio",
                ),
            ]
        )
    }

with DAG(
    dag_id="comms_final_report",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 20, "retry_delay": timedelta(minutes=30)},
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:
    CommsReportOperator(task_id="report", resource=["emails", "messages"], on_incomplete="fail", **policy)

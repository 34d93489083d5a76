"""Many reports at the same time."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_comms.operators.report import CommsReportOperator

with DAG(
    dag_id="reports",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_tasks=1000,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1)},
):
    for number in range(int(os.environ["TRIAL_REPORTS"])):
        CommsReportOperator(
            task_id=f"report_{number}",
            resource=["emails", "messages"],
            window_start="{{ dag_run.conf['begin'] }}",
            window_end="{{ dag_run.conf['end'] }}",
            output=f"{{{{ dag_run.conf['output'] }}}}/{number}",
            comms_conn_id="{{ dag_run.conf['conn_id'] }}",
        )

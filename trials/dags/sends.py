"""Many sends at the same time, each of which goes on to wait for its operation."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_comms.operators.send import CommsSendEmailsOperator

with DAG(
    dag_id="sends",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_tasks=1000,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1)},
):
    for number in range(int(os.environ["TRIAL_SENDS"])):
        CommsSendEmailsOperator(
            task_id=f"send_{number}",
            from_={"address": "trials@example.com", "name": "Trials"},
            to=f"{{{{ dag_run.conf['folder'] }}}}/{number}.jsonl",
            subject="A trial",
            html="<p>Nobody will ever read this.</p>",
            allow_recipients=["@example.com"],
            comms_conn_id="{{ dag_run.conf['conn_id'] }}",
            wait_for_completion=True,
            deferrable=True,
            poke_interval=5,
        )

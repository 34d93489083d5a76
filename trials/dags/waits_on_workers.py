"""Waits that begin and end on workers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_comms.sensors.operation import CommsOperationSensor

with DAG(
    dag_id="waits_on_workers",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_tasks=1000,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1)},
):
    for number in range(int(os.environ["TRIAL_WAITS_RESUMING"])):
        CommsOperationSensor(
            task_id=f"wait_{number}",
            resource="emails",
            operation_id=f"{{{{ dag_run.conf['ids'][{number}] }}}}",
            comms_conn_id="{{ dag_run.conf['conn_id'] }}",
            poke_interval=5,
            deferrable=True,
        )

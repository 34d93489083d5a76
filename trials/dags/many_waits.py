"""Many waits on one connection: most live in the triggerer from beginning to end, some begin and end on workers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_comms.sensors.operation import CommsOperationSensor

IN_TRIGGERER = int(os.environ["TRIAL_WAITS"])
ON_WORKERS = int(os.environ["TRIAL_WAITS_ON_WORKERS"])

with DAG(
    dag_id="many_waits",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_tasks=10_000,
    max_active_runs=64,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1)},
):
    for number in range(IN_TRIGGERER + ON_WORKERS):
        CommsOperationSensor(
            task_id=f"wait_{number}",
            resource="emails",
            operation_id=f"{{{{ dag_run.conf['ids'][{number}] }}}}",
            comms_conn_id="{{ dag_run.conf['conn_id'] }}",
            poke_interval=5,
            timeout=1800,
            deferrable=True,
            run_in_triggerer=number < IN_TRIGGERER,
        )

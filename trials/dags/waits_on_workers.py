"""Waits that begin and end on workers, and take a while to resume: a worker can be killed in the middle of it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_comms.sensors.operation import CommsOperationSensor

RESUMES_FOR = 5.0


class SlowlyResumed(CommsOperationSensor):
    """Resumes slower than any machine, once."""

    def execute_complete(self, context: Any, event: Any) -> Any:
        """Take a while, then resume."""
        if context["ti"].try_number == 1:
            time.sleep(RESUMES_FOR)
        return super().execute_complete(context, event)


with DAG(
    dag_id="waits_on_workers",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_tasks=1000,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1)},
):
    for number in range(int(os.environ["TRIAL_WAITS_RESUMING"])):
        SlowlyResumed(
            task_id=f"wait_{number}",
            resource="emails",
            operation_id=f"{{{{ dag_run.conf['ids'][{number}] }}}}",
            comms_conn_id="{{ dag_run.conf['conn_id'] }}",
            poke_interval=5,
            deferrable=True,
        )

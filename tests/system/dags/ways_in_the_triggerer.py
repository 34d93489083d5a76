"""Each of the ways in which a wait can go, as a task that lives in the triggerer; `waits.py` is copied beside this."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG
from waits import WAYS

from airflow_provider_comms.sensors.operation import CommsOperationSensor

with DAG(
    dag_id="ways_in_the_triggerer",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_tasks=64,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=1)},
):
    for number, way in enumerate(WAYS):
        CommsOperationSensor(
            task_id=f"way_{number}",
            resource="emails",
            operation_id=f"{{{{ dag_run.conf['ids'][{number}] }}}}",
            comms_conn_id=f"way_{number}",  # Else one poll would see them all, whatever befalls one of them.
            run_in_triggerer=True,
            poke_interval=1,
            **way.sensor,
        )

"""Mapped tasks about many operations each, and about one with the longest id; the run's conf says which."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from airflow_provider_comms.sensors.operation import CommsOperationSensor

with DAG(dag_id="many_ids_in_a_task", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    common = {"resource": "emails", "comms_conn_id": "ways"}

    @task
    def groups(dag_run=None) -> list[list[str] | str]:
        return dag_run.conf["groups"]

    ids = groups()
    for name, how in {
        "deferred": {"deferrable": True},
        "poked": {},
        "in_triggerer": {"run_in_triggerer": True},
    }.items():
        CommsOperationSensor.partial(task_id=name, poke_interval=1, **how, **common).expand(operation_id=ids)
    CommsExportStatsOperator.partial(task_id="export_stats", **common).expand(operation_id=ids)

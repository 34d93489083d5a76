"""Ways to hand an id to a wait that lives in the triggerer, and things that only a worker can do."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, Asset, task

from airflow_provider_comms.sensors.operation import CommsOperationSensor


def greet(context):
    """Tell that a callback was called."""
    print("the callback was called")


with DAG(dag_id="starts_in_the_triggerer", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    common = {"resource": "emails", "comms_conn_id": "ways", "run_in_triggerer": True, "poke_interval": 1}

    @task
    def send(params=None, dag_run=None) -> str:
        return dag_run.conf["id"]

    @task
    def send_many(dag_run=None) -> list[str]:
        return [dag_run.conf["id"]] * 2

    CommsOperationSensor(task_id="template", operation_id="{{ dag_run.conf['id'] }}", **common)
    upstream = CommsOperationSensor(task_id="upstream", operation_id=send(), **common)
    CommsOperationSensor(task_id="from_a_wait", operation_id=upstream.output, **common)
    CommsOperationSensor(task_id="several", operation_id=send_many(), **common)
    pulled = CommsOperationSensor(
        task_id="pulled", operation_id="{{ ti.xcom_pull(task_ids='upstream')['id'] }}", **common
    )
    upstream >> pulled
    CommsOperationSensor.partial(task_id="mapped", **common).expand(operation_id=send_many())
    CommsOperationSensor(
        task_id="callback", operation_id="{{ dag_run.conf['id'] }}", on_success_callback=greet, **common
    )
    CommsOperationSensor(
        task_id="outlet", operation_id="{{ dag_run.conf['id'] }}", outlets=[Asset("comms-sent")], **common
    )

"""The DAG whose tasks wait in `in_the_triggerer`."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_comms.sensors.operation import CommsOperationSensor


@dag(schedule=None)
def waits():
    @task
    def send() -> list[str]:
        raise NotImplementedError("Only its waits are measured.")

    CommsOperationSensor.partial(task_id="wait", resource="emails", deferrable=True).expand(operation_id=send())


waits()

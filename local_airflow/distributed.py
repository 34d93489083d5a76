"""
An Airflow as people run it when one machine is not enough, all on this one: PostgreSQL, Redis, the Celery executor with
two workers, and two triggerers.

Airflow notices a dead part by its silence. How long that may last is set to seconds here, where Airflow's own settings
mean minutes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_airflow.airflow import COMPONENTS, LocalAirflow
from local_airflow.postgres import postgres
from local_airflow.redis import redis

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local_airflow.processes import Processes

TRIGGERERS = "triggerer one", "triggerer two"
WORKERS = "worker one", "worker two"
TASKS_PER_WORKER = 2
DURABLE = "synchronous_commit=on", "log_statement=mod"
"""PostgreSQL may be killed at any time and forgets nothing; its log shows all that was ever written."""

SETTINGS: Mapping[str, str] = {
    "CORE__EXECUTOR": "CeleryExecutor",
    "CORE__PARALLELISM": "32",
    "CORE__DEFAULT_POOL_TASK_SLOT_COUNT": "128",
    "CORE__MAX_ACTIVE_TASKS_PER_DAG": "1000",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
    "SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
    "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "20",
    "TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    # One of two must be able to take over what both have.
    "TRIGGERER__CAPACITY": "2000",
    "CELERY__WORKER_CONCURRENCY": str(TASKS_PER_WORKER),
    "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "60",
}


def _components() -> dict[str, tuple[str, ...]]:
    worker = ("celery", "worker", "--skip-serve-logs", "--without-mingle", "--without-gossip", "--celery-hostname")
    once = {name: command for name, command in COMPONENTS.items() if name != "triggerer"}
    triggerers = dict.fromkeys(TRIGGERERS, COMPONENTS["triggerer"])
    return once | triggerers | {name: (*worker, name.replace(" ", "-")) for name in WORKERS}


@contextmanager
def distributed_airflow(home: Path, dags_folder: Path, processes: Processes) -> Iterator[LocalAirflow]:
    """
    Run it; yield it when all of it is healthy.

    :param home: its AIRFLOW_HOME; whatever was there is deleted
    :param dags_folder: the DAGs it serves
    :param processes: what starts and stops its processes
    :raises LocalAirflowError: PostgreSQL or Redis is not installed, or something does not start
    """
    with postgres(processes, DURABLE) as database, redis(processes) as broker:
        airflow = LocalAirflow(
            home,
            dags_folder,
            processes,
            connections={},
            database=database,
            components=_components(),
            settings={**SETTINGS, "CELERY__BROKER_URL": broker, "CELERY__RESULT_BACKEND": f"db+{database}"},
        )
        airflow.migrate()
        airflow.start()
        try:
            airflow.wait_until_healthy()
            yield airflow
        finally:
            for name in airflow.components:
                processes.stop(name, grace=0)
            airflow.api.close()

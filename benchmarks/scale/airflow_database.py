"""What a triggerer's queries cost in a database with very many waits: Airflow's own code on a PostgreSQL of its own."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measure import apart
from benchmarks.scale.airflow_queries import fill, run_queries
from local_airflow.airflow import airflow_command
from local_airflow.environment import environment, free_port
from local_airflow.postgres import postgres
from local_airflow.processes import Processes

if TYPE_CHECKING:
    from benchmarks.scale.airflow_queries import Costs

ONE_CORE = {"PGOPTIONS": "-c max_parallel_workers_per_gather=0"}
"""So that the time a query takes is that of one core."""


def measure_database(waits: int, triggerers: int) -> Costs:
    """Return what each query costs; see `airflow_queries`."""
    with TemporaryDirectory(prefix="airflow-provider-comms-scale-") as place, Processes(Path(place)) as processes:
        home = Path(place, "home")
        home.mkdir()
        with postgres(processes) as url:
            env = environment(home, home, port=free_port(), database=url)
            env |= {"AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING"}
            processes.run("migration", airflow_command("db", "migrate"), env)
            apart(fill, env=env, waits=waits, triggerers=triggerers)
            return apart(run_queries, env=env | ONE_CORE, waits=waits)

"""What a triggerer's queries cost in a database with very many waits: Airflow's own code on a PostgreSQL of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measure import apart
from benchmarks.postgres import postgres, programs
from benchmarks.scale.airflow_queries import fill, run_queries
from local_airflow.airflow import environment, free_port
from local_airflow.processes import Processes

if TYPE_CHECKING:
    from benchmarks.scale.airflow_queries import Costs

ONE_CORE = {"PGOPTIONS": "-c max_parallel_workers_per_gather=0"}
"""So that the time a query takes is that of one core."""


def measure_database(waits: int, triggerers: int) -> Costs:
    """Return what each query costs; see `airflow_queries`."""
    folder = programs()
    if folder is None:
        raise SystemExit("PostgreSQL is not installed.")
    with TemporaryDirectory(prefix="airflow-provider-comms-scale-") as place, Processes(Path(place)) as processes:
        home = Path(place, "home")
        home.mkdir()
        with postgres(folder, processes) as url:
            env = environment(home, home, free_port(), {}, 1)
            env |= {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url, "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING"}
            processes.run("migration", [sys.executable, "-m", "airflow", "db", "migrate"], env)
            apart(fill, env=env, waits=waits, triggerers=triggerers)
            return apart(run_queries, env=env | ONE_CORE, waits=waits)

"""A whole Airflow on this machine: scheduler, DAG processor, triggerer and API server, each a process."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from local_airflow import guard
from local_airflow.environment import environment, free_port
from local_airflow.errors import ComponentError, LocalAirflowError, WaitTimeoutError
from local_airflow.rest import AirflowApi
from local_airflow.runs import Run
from local_airflow.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from local_airflow.processes import Processes

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "API server": ("api-server",),
    # Task logs are read from disk here, so nobody needs the log servers and their fixed ports.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "DAG processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor", "execution_api")
HEALTHY = dict.fromkeys(PARTS, "healthy")


class RunOptions(TypedDict, total=False):
    """What else a run may be started with."""

    run_id: str
    logical_date: datetime


class LocalAirflow:
    """
    An Airflow with its own home, its own ports and nothing of the user's settings.

    :param home: its AIRFLOW_HOME; whatever was there is deleted
    :param dags_folder: the DAGs it serves
    :param processes: what starts and stops its components
    :param connections: Airflow's connections as JSON, by id
    :param workers: how many tasks may run at once
    :param database: its database as a SQLAlchemy URL; None for SQLite in ``home``
    :param components: the command of each of its processes, by name
    :param settings: of Airflow, each by ``SECTION__NAME``, in place of those it has here
    """

    def __init__(
        self,
        home: Path,
        dags_folder: Path,
        processes: Processes,
        *,
        connections: Mapping[str, str],
        workers: int = 2,
        database: str | None = None,
        components: Mapping[str, tuple[str, ...]] = COMPONENTS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.processes = processes
        self._holds_back = False
        self.components = components
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.env = environment(
            home,
            dags_folder,
            port=port,
            workers=workers,
            connections=connections,
            database=database,
            settings=settings,
        )
        self.api = AirflowApi(self.url)

    def migrate(self) -> None:
        """Make the home and its database."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        self.processes.run("database migration", airflow_command("db", "migrate"), self.env)

    def start(self) -> None:
        """Start all components."""
        for name in self.components:
            self.start_component(name)

    def start_component(self, name: str) -> None:
        """Start one of the components."""
        self.processes.start(name, airflow_command(*self.components[name]), self.env)

    def stop_component(self, name: str, grace: float = guard.GRACE_SECONDS) -> None:
        """Stop one component; with ``grace=0`` it is killed at once."""
        self.processes.stop(name, grace)

    def wait_until_healthy(self, seconds: float = 180.0) -> None:
        """Wait until all components report that they are healthy, then log in."""
        health: dict[str, str] = {}

        def all_healthy() -> bool:
            nonlocal health
            self.processes.check()
            health = self.api.health()
            return health == HEALTHY

        try:
            wait_for(all_healthy, what="a healthy Airflow", seconds=seconds)
        except WaitTimeoutError as error:
            raise self._unhealthy(health, seconds) from error
        self.api.log_in()

    def wait_for_dag(self, dag_id: str, seconds: float = 60.0) -> None:
        """Wait until the DAG has been parsed, then unpause it; see :meth:`starting_together`."""

        def parsed() -> bool:
            self.processes.check()
            for file, trace in self.api.import_errors().items():
                raise LocalAirflowError(f"Airflow cannot import {file}.", trace)
            return self.api.dag_is_known(dag_id)

        wait_for(parsed, what=f"the DAG {dag_id}", seconds=seconds)
        if not self._holds_back:
            self.api.unpause(dag_id)

    @contextmanager
    def starting_together(self) -> Iterator[None]:
        """Let runs that are started meanwhile begin when all of them are: SQLite takes one writer at a time."""
        self._holds_back = True
        try:
            yield
        finally:
            self._holds_back = False
        self.api.unpause_all()

    def start_run(self, dag_id: str, conf: dict[str, Any] | None = None, **options: Unpack[RunOptions]) -> Run:
        """Start a run of a DAG and return it while it goes on; the arguments are those of :meth:`run_dag`."""
        self.wait_for_dag(dag_id)
        return Run(self.api, dag_id, self.api.trigger(dag_id, conf or {}, **options))

    def run_dag(
        self, dag_id: str, conf: dict[str, Any] | None = None, *, seconds: float = 90.0, **options: Unpack[RunOptions]
    ) -> Run:
        """
        Run a DAG to its end.

        :param dag_id: the DAG
        :param conf: what the run is configured with
        :param seconds: how long it may take
        :param options: ``run_id`` and ``logical_date``, where Airflow is not to choose
        :return: the run, in whatever state it ended: see :meth:`Run.check`
        """
        run = self.start_run(dag_id, conf, **options)
        self.wait_for_run(run, seconds)
        return run

    def wait_for_run(self, run: Run, seconds: float = 90.0) -> None:
        """Wait until a run has ended, in whatever state."""

        def ended() -> bool:
            self.processes.check()
            return run.has_ended()

        wait_for(ended, what=f"the end of {run}", seconds=seconds)

    def _unhealthy(self, health: dict[str, str], seconds: float) -> ComponentError:
        unhealthy = [name for name in PARTS if health.get(name) != "healthy"]
        tails = [f"{part.log}, last lines:\n{part.tail()}" for part in self.processes.running.values()]
        return ComponentError(
            f"Airflow did not become healthy in {seconds:.0f} s: {', '.join(unhealthy)}.", "\n\n".join(tails)
        )


def airflow_command(*arguments: str) -> list[str]:
    """Return the command that runs ``airflow`` with this Python."""
    return [sys.executable, "-m", "airflow", *arguments]

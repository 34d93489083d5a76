"""A whole Airflow on this machine: scheduler, DAG processor, triggerer and API server, each a process."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import socket
import sys
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from local_airflow import guard
from local_airflow.failures import ComponentFailed, DemoFailure, TookTooLong
from local_airflow.rest import AirflowApi
from local_airflow.runs import Run
from local_airflow.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping
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


class How(TypedDict, total=False):
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
    """

    def __init__(
        self,
        home: Path,
        dags_folder: Path,
        processes: Processes,
        *,
        connections: Mapping[str, str],
        workers: int = 2,
    ) -> None:
        self.home = home
        self.processes = processes
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.env = environment(home, dags_folder, port, connections, workers)
        self.api = AirflowApi(self.url)

    def migrate(self) -> None:
        """Make the home and its database."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        self.processes.run("database migration", _airflow("db", "migrate"), self.env)

    def start(self) -> None:
        """Start all components."""
        for name in COMPONENTS:
            self.start_component(name)

    def start_component(self, name: str) -> None:
        """Start one of :data:`COMPONENTS`."""
        self.processes.start(name, _airflow(*COMPONENTS[name]), self.env)

    def stop_component(self, name: str, grace: float = guard.GRACE_SECONDS) -> None:
        """Stop one component; with ``grace=0`` it is killed at once."""
        self.processes.stop(name, grace)

    def wait_until_healthy(self, seconds: float = 60.0) -> None:
        """Wait until all components say that they are well, then log in."""
        health: dict[str, str] = {}

        def all_healthy() -> bool:
            nonlocal health
            self.processes.check()
            health = self.api.health()
            return health == HEALTHY

        try:
            wait_for(all_healthy, what="a healthy Airflow", seconds=seconds)
        except TookTooLong as error:
            raise self._unhealthy(health) from error
        self.api.log_in()

    def wait_for_dag(self, dag_id: str, seconds: float = 30.0) -> None:
        """Wait until the DAG has been parsed, then let it run."""

        def parsed() -> bool:
            self.processes.check()
            for file, trace in self.api.import_errors().items():
                raise DemoFailure(f"Airflow cannot import {file}.", trace)
            return self.api.dag_is_known(dag_id)

        wait_for(parsed, what=f"the DAG {dag_id}", seconds=seconds)
        self.api.unpause(dag_id)

    def start_run(self, dag_id: str, conf: dict[str, Any] | None = None, **how: Unpack[How]) -> Run:
        """Start a run of a DAG, and return it while it goes on; the arguments are those of :meth:`run_dag`."""
        self.wait_for_dag(dag_id)
        return Run(self.api, dag_id, self.api.trigger(dag_id, conf or {}, **how))

    def run_dag(
        self, dag_id: str, conf: dict[str, Any] | None = None, *, seconds: float = 90.0, **how: Unpack[How]
    ) -> Run:
        """
        Run a DAG to its end.

        :param dag_id: the DAG
        :param conf: what the run is configured with
        :param seconds: how long it may take
        :param how: ``run_id`` and ``logical_date``, where Airflow is not to choose
        :return: the run, in whatever state it ended: see :meth:`Run.check`
        """
        run = self.start_run(dag_id, conf, **how)
        self.wait_for_run(run, seconds)
        return run

    def wait_for_run(self, run: Run, seconds: float = 90.0) -> None:
        """Wait until a run has ended, in whatever state."""

        def ended() -> bool:
            self.processes.check()
            return run.has_ended()

        wait_for(ended, what=f"the end of {run}", seconds=seconds)

    def _unhealthy(self, health: dict[str, str]) -> ComponentFailed:
        ailing = [name for name in PARTS if health.get(name) != "healthy"]
        tails = [f"{part.log}, last lines:\n{part.tail()}" for part in self.processes.running.values()]
        return ComponentFailed(f"Airflow does not get healthy: {', '.join(ailing)}.", "\n\n".join(tails))


def environment(
    home: Path, dags_folder: Path, port: int, connections: Mapping[str, str], workers: int
) -> dict[str, str]:
    """
    Return the whole environment of Airflow's processes.

    The user's own ``AIRFLOW*`` variables are left out, and so are proxies for the way to this machine itself.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    settings = {f"AIRFLOW__{name}": value for name, value in _settings(dags_folder, port, workers).items()}
    by_id = {f"AIRFLOW_CONN_{conn_id.upper()}": value for conn_id, value in connections.items()}
    local = {"AIRFLOW_HOME": str(home), "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return inherited | local | settings | by_id


def _settings(dags_folder: Path, port: int, workers: int) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}"
    return {
        "CORE__DAGS_FOLDER": str(dags_folder),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(workers),
        # As many slots in the default pool as there are workers: the pool then tells how busy they are.
        "CORE__DEFAULT_POOL_TASK_SLOT_COUNT": str(workers),
        # A task that fails by accident is tried again at once, not in five minutes.
        "CORE__DEFAULT_TASK_RETRY_DELAY": "2",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_urlsafe(64),
        "API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # Parse each file once, and look around seldom: the files do not change while this Airflow lives.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
        # A task's supervisor may notice the end of its process this many seconds late. At the default of 5, the
        # report that a task was deferred can meet the task when it comes back from a poll 5 s later; the
        # scheduler then takes it for a failure.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def free_port() -> int:
    """Return a port on the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _airflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]

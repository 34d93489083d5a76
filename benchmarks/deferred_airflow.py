"""An Airflow of a database and a triggerer: tasks wait in it, and none runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from sqlalchemy import String, cast, column, create_engine, func, select, table

from benchmarks.deferring import READY
from benchmarks.measure import LONGEST, MEGABYTE, ROOT
from local_airflow.airflow import airflow_command
from local_airflow.environment import environment, free_port
from local_airflow.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.deferring import Deferral
    from local_airflow.processes import Component, Processes

DAGS = Path(__file__).with_name("dags")
STARTS_WITHIN = 60.0
BLOCKED = re.compile(r"thread was blocked for ([\d.]+) seconds")


class DeferredAirflow:
    """
    An Airflow of its own.

    :param home: its AIRFLOW_HOME.
    :param database: URL of its database.
    :param capacity: how many triggers its triggerer may run.
    :param processes: what starts and stops its processes.
    """

    def __init__(self, home: Path, database: str, capacity: int, processes: Processes) -> None:
        self._processes = processes
        self._env = {
            **environment(home, DAGS, port=free_port(), database=database),
            "AIRFLOW__TRIGGERER__CAPACITY": str(capacity),
            # The triggerer finds the peers' triggers there.
            "PYTHONPATH": str(ROOT),
        }
        self.tasks = Tasks(database)

    def prepare(self) -> None:
        """Fill the database: with tables, and with the DAG."""
        for arguments in (("db", "migrate"), ("dags", "reserialize")):
            self._processes.run(" ".join(arguments), airflow_command(*arguments), self._env)

    @contextmanager
    def triggerer(self, connections: Mapping[str, str]) -> Iterator[Runner]:
        """
        Run a triggerer.

        :param connections: Airflow's connections as JSON, by id.
        """
        env = self._env | {f"AIRFLOW_CONN_{conn_id.upper()}": value for conn_id, value in connections.items()}
        component = self._processes.start("triggerer", airflow_command("triggerer", "--skip-serve-logs"), env)
        try:
            yield wait_for(lambda: _runner_of(component), what="the triggerer's runner", seconds=STARTS_WITHIN)
        finally:
            # It would wait for its triggers to clean up, and there are none.
            self._processes.stop("triggerer", grace=0)
            self.tasks.close()
            component.log.unlink()

    @contextmanager
    def running_tasks(self, count: int, longest: float = LONGEST) -> Iterator[Callable[[list[Deferral]], None]]:
        """
        Put tasks that run in place of all that were there; give what defers them (see `deferring`).

        :param longest: seconds that this may take.
        """
        command = [sys.executable, "-m", "benchmarks.deferring", str(count)]
        with subprocess.Popen(
            command, env=self._env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:

            def defer(deferrals: list[Deferral]) -> None:
                process.communicate(json.dumps(deferrals), timeout=longest)
                if process.returncode:
                    raise RuntimeError("The tasks were not deferred; why stands above.")

            try:
                # Airflow may have logged to the same stream.
                if not any(line.strip() == READY for line in process.stdout or ()):
                    raise RuntimeError("The tasks were not made; why stands above.")
                yield defer
            finally:
                process.kill()


class Runner:
    """
    The process of a triggerer in which the event loop lives.

    :param process: it.
    :param triggerer: prints what it logs.
    """

    def __init__(self, process: psutil.Process, triggerer: Component) -> None:
        self._process = process
        self._triggerer = triggerer

    def check(self) -> None:
        """Raise an error if the triggerer has ended."""
        self._triggerer.check()

    def cpu(self) -> float:
        """Return the seconds of CPU that it has spent, in user and system mode."""
        times = self._process.cpu_times()
        return times.user + times.system

    def memory(self) -> float:
        """Return what it holds, in MB."""
        return self._process.memory_info().rss / MEGABYTE

    def handles(self) -> tuple[int, int]:
        """Return how many file descriptors it has open, and how many of these are connections by TCP."""
        return self._process.num_fds(), len(self._process.net_connections("tcp"))

    def longest_block(self) -> float:
        """Return the most seconds for which its loop stood still, by Airflow's own log; 0 if none are worth a line."""
        found = BLOCKED.findall(self._triggerer.log.read_text(errors="replace"))
        return max(map(float, found), default=0.0)


def _runner_of(triggerer: Component) -> Runner | None:
    """Return the triggerer's only child; None if it is not there yet."""
    triggerer.check()
    children = psutil.Process(triggerer.process.pid).children()
    return Runner(children[0], triggerer) if children else None


class Tasks:
    """
    How the tasks are, seen from outside.

    :param database: URL of Airflow's database.
    """

    def __init__(self, database: str) -> None:
        self._engine = create_engine(database, isolation_level="AUTOCOMMIT")
        self._tasks = table("task_instance", column("state"), column("next_kwargs"))
        self._triggers = table("trigger", column("triggerer_id"))

    def deferred(self) -> int:
        """Return how many are deferred."""
        return self._count(self._tasks.c.state == "deferred")

    def in_triggerer(self) -> int:
        """Return for how many a triggerer has taken the trigger."""
        return self._count(self._triggers.c.triggerer_id.is_not(None))

    def finished(self) -> int:
        """Return how many were handed an event that says that their operation has finished."""
        event = cast(self._tasks.c.next_kwargs, String)
        return self._count(self._tasks.c.state == "scheduled", event.like('%"finished"%'))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _count(self, *conditions: Any) -> int:
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).where(*conditions)) or 0

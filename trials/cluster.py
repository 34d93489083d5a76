"""The distributed Airflow of the trials, with what a trial does to it and reads from it."""

from __future__ import annotations

import json
import re
import secrets
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
from sqlalchemy.exc import OperationalError

from airflow_provider_comms.simulator import Simulator
from local_airflow.distributed import TRIGGERERS
from local_airflow.errors import WaitTimeoutError
from local_airflow.waiting import wait_for
from trials.figures import Figures

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from local_airflow.airflow import LocalAirflow
    from local_airflow.runs import Run
    from trials.ledger import Ledger, Outcome

T = TypeVar("T")

BLOCKED = re.compile(r"thread was blocked for ([\d.]+) seconds")
MEGABYTE = 2**20
ALIVE_WITHIN = 10.0
"""Seconds since its last heartbeat for which a triggerer counts as alive: five of its heartbeats."""
LOST_AFTER = 240.0
"""Seconds after which a wait that has not ended is lost, and not only late."""
UNTIL_TOLD = 3600.0
"""Seconds that operations take unless a trial ends them."""


@dataclass(frozen=True)
class Api:
    """
    An API of a trial's own.

    :param simulator: it
    :param conn_id: of the Airflow connection to it
    """

    simulator: Simulator
    conn_id: str

    @property
    def secrets(self) -> dict[str, str]:
        """What must never be seen anywhere, by what it is."""
        one = self.simulator
        return {"auth token": one.auth_token, "API key secret": one.api_key_secret}


@dataclass
class Waits:
    """
    Many waits for operations of one API.

    :param api: the API
    :param runs: of the DAG whose tasks they are
    :param ids: of the operations
    :param created_at: when the first of these was created, in seconds since the epoch
    :param ended_at: when the last operation ended, in seconds since the epoch; None while they go on
    """

    api: Api
    runs: list[Run]
    ids: list[str]
    created_at: float
    ended_at: float | None = None

    def end_operations(self, over: float = 0.0) -> None:
        """Let the operations end, one after the other from now on, ``over`` so many seconds."""
        simulator, now = self.api.simulator, time.time()
        for number, one in enumerate(self.ids):
            age = simulator.now.timestamp() - self.created_at
            simulator.change_operation("emails", one, processing_for=age + over * (number + 1) / len(self.ids))
        self.ended_at = now + over


class Cluster:
    """
    A distributed Airflow that runs.

    :param airflow: it
    :param ledger: what happened to its tasks
    :param folder: for reports and other files of the trials
    :param waits_per_run: tasks of the DAG `many_waits`
    """

    def __init__(self, airflow: LocalAirflow, ledger: Ledger, folder: Path, waits_per_run: int) -> None:
        self.airflow = airflow
        self.ledger = ledger
        self.folder = folder
        self.waits_per_run = waits_per_run
        self.figures: list[Figures] = []
        self.apis: list[Api] = []
        self.canaries: dict[str, str] = {}
        self.stopped: set[str] = set()
        self.revived: list[str] = []
        self._stack = ExitStack()

    def close(self) -> None:
        """Stop the simulated APIs and other servers."""
        self._stack.close()

    def keep(self, server: AbstractContextManager[T]) -> T:
        """Start a server that lives as long as this."""
        return self._stack.enter_context(server)

    def api(self, conn_id: str, **settings: Any) -> Api:
        """Start an API with credentials of its own, and store a connection to it in Airflow's database."""
        simulator = self.keep(
            Simulator(auth_token=secrets.token_hex(16), api_key_secret=secrets.token_hex(16), **settings)
        )
        self.airflow.api.set_connection(conn_id, json.loads(simulator.connection_json()))
        self.apis.append(Api(simulator, conn_id))
        return self.apis[-1]

    def start_waits(self, api: Api, *, runs: int = 1, dag_id: str = "many_waits", each: int | None = None) -> Waits:
        """Start waits for operations that go on until the trial ends them."""
        each = each or self.waits_per_run
        created_at = api.simulator.now.timestamp()
        ids = [api.simulator.add_operation("emails", processing_for=UNTIL_TOLD) for _ in range(runs * each)]
        confs = [{"ids": ids[start : start + each], "conn_id": api.conn_id} for start in range(0, len(ids), each)]
        return Waits(api, [self.airflow.start_run(dag_id, conf) for conf in confs], ids, created_at)

    def wait_until_deferred(self, waits: Waits, *, since: float = 0.0, seconds: float = 90.0) -> None:
        """
        Wait until every wait lives in a triggerer that is alive.

        :param since: only triggerers that started after this, in seconds since the epoch
        """

        def living() -> bool:
            counts = (self.ledger.running_triggers(run.run_id, within=ALIVE_WITHIN, since=since) for run in waits.runs)
            return sum(counts) == len(waits.ids)

        self.wait_for(living, f"{len(waits.ids)} deferred waits", seconds)

    def wait_until_ended(self, waits: Waits, seconds: float) -> Outcome:
        """Wait until all waits have succeeded, or the time is over; return what became of them."""
        with suppress(WaitTimeoutError):  # The figures tell who is lost.
            self.wait_for(lambda: not self.outcome(waits).lost, "the waits", seconds)
        return self.outcome(waits)

    def outcome(self, waits: Waits) -> Outcome:
        """Return what became of the waits so far."""
        outcomes = [self.ledger.outcome(run.run_id) for run in waits.runs]
        return type(outcomes[0])(
            waits=sum(one.waits for one in outcomes),
            succeeded=sum(one.succeeded for one in outcomes),
            twice=sum(one.twice for one in outcomes),
            last=max(one.last for one in outcomes),
            tries=max(one.tries for one in outcomes),
        )

    def wait_for(self, check: Any, what: str, seconds: float) -> None:
        """Wait for something; parts that end meanwhile are started again, as people's service managers do."""

        def checked() -> bool:
            self.revive()
            with suppress(OperationalError):  # The database is being started.
                return bool(check())
            return False

        wait_for(checked, what=what, seconds=seconds, every=0.5)

    def revive(self) -> None:
        """Start again what has ended by itself."""
        for name, component in list(self.airflow.processes.running.items()):
            if component.process.poll() is not None and name not in self.stopped:
                self.revived.append(name)
                component.start_again()

    def kill(self, *names: str) -> None:
        """Kill parts at once, with all their processes."""
        self.stopped.update(names)
        for name in names:
            self._again[name] = self.airflow.processes.running[name].start_again
            self.airflow.processes.stop(name, grace=0)

    def start(self, *names: str) -> None:
        """Start parts that were killed."""
        for name in names:
            self._again.pop(name)()
        self.stopped.difference_update(names)

    @cached_property
    def _again(self) -> dict[str, Any]:
        return {}

    def triggerer_memory(self) -> float:
        """Return what the triggerers' own processes hold, together, in MB."""
        running = self.airflow.processes.running
        parents = [psutil.Process(running[name].process.pid) for name in TRIGGERERS if name in running]
        return sum(child.memory_info().rss for parent in parents for child in parent.children()) / MEGABYTE

    def trial(self, name: str) -> Trial:
        """Begin a trial."""
        return Trial(self, name)

    def triggerer_logs(self) -> list[Path]:
        """Return the files that take what the triggerers print."""
        return [self.airflow.processes.log_folder / f"{name.replace(' ', '-')}.log" for name in TRIGGERERS]


class Trial:
    """A trial that goes on: remembers how things were when it began."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._memory = cluster.triggerer_memory()
        self._sizes = {log: log.stat().st_size for log in cluster.triggerer_logs()}

    def end(self, waits: Waits, *, at_most: int, recovered_at: float = 0.0, seconds: float = LOST_AFTER) -> Figures:
        """
        Wait for the waits, and note the figures.

        :param at_most: requests
        :param recovered_at: when what had failed worked again, in seconds since the epoch
        :param seconds: how long to wait for the last of them
        """
        outcome = self._cluster.wait_until_ended(waits, seconds)
        figures = Figures(
            trial=self._name,
            waits=outcome.waits,
            lost=outcome.lost,
            twice=outcome.twice,
            requests=waits.api.simulator.request_counts()["total"],
            at_most=at_most,
            blocked=self._longest_block(),
            recovered=max(0.0, outcome.last - max(recovered_at, waits.ended_at or 0.0)),
            memory=self._memory,
            memory_after=self._cluster.triggerer_memory(),
        )
        self._cluster.figures.append(figures)
        return figures

    def _longest_block(self) -> float:
        found: list[str] = []
        for log, size in self._sizes.items():
            with log.open(errors="replace") as file:
                file.seek(size)
                found += BLOCKED.findall(file.read())
        return max(map(float, found), default=0.0)

"""
Is a triggerer taken for dead when thousands of its waits end in one poll?

Airflow's supervisor of a triggerer sends no heartbeat while it stores events. Its age is read in Airflow's database, as
a scheduler and other triggerers read it. The peer's triggers all fire at once, as those that a shared poll wakes would.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

from benchmarks.deferred_airflow import DeferredAirflow
from benchmarks.in_the_triggerer import CONN_ID, Wait, sleeping
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import simulated_api
from local_airflow.postgres import MISSING, find_programs, postgres
from local_airflow.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable

WAITS = 5000
LASTS = 75.0
"""Seconds from the begin of the waits to the end of their operations: a triggerer starts some 100 triggers a second."""
POKE_INTERVAL = 5.0
CHECK_EVERY = 0.25
LATEST = 300.0
TAKEN_FOR_DEAD = 30.0
"""Seconds without a heartbeat, as Airflow has it unless told otherwise."""
STATE = """
SELECT (SELECT extract(epoch FROM now() - max(latest_heartbeat)) FROM job WHERE job_type = 'TriggererJob'),
       (SELECT count(*) FROM task_instance WHERE state = 'deferred')
"""


@dataclass(frozen=True)
class Measured:
    """
    What the ends cost. Times are in seconds.

    :param oldest: the oldest heartbeat.
    :param late: from the end of all operations until the last task could continue.
    :param mean_late: the mean over the tasks.
    """

    oldest: float
    late: float
    mean_late: float


def ours(wait: Wait) -> tuple[str, dict[str, Any]]:
    """Return the trigger that our sensor defers to."""
    return "airflow_provider_comms.triggers.operation.CommsOperationTrigger", {
        "resource": "emails",
        "operation_id": wait.operation_id,
        "comms_conn_id": CONN_ID,
        "poke_interval": POKE_INTERVAL,
        "started_at": wait.begins,
    }


def run() -> Report:
    if find_programs() is None:
        raise RuntimeError(MISSING)
    with (
        TemporaryDirectory(prefix="airflow-provider-comms-hand-over-") as folder,
        Processes(Path(folder, "logs")) as processes,
        postgres(processes) as url,
    ):
        home = Path(folder, "airflow")
        home.mkdir()
        airflow = DeferredAirflow(home, url, WAITS, processes)
        airflow.prepare()
        peer, of_ours = (_measured(airflow, url, load) for load in (sleeping, ours))
    return Report(
        "hand_over",
        f"is a triggerer taken for dead when {WAITS:,} waits end in one poll?",
        "all at once",
        [
            _figure("oldest heartbeat", of_ours.oldest, peer.oldest, Bound("≤", 2 / 3 * TAKEN_FOR_DEAD, "s")),
            _figure("the last task continues after", of_ours.late, peer.late),
            _figure("a task continues after, on average", of_ours.mean_late, peer.mean_late),
        ],
        [f"Airflow takes a triggerer for dead after {TAKEN_FOR_DEAD:.0f} s. PostgreSQL, one triggerer."],
    )


def _figure(what: str, of_ours: float, of_peer: float, bound: Bound | None = None) -> Figure:
    return Figure(what=what, ours=of_ours, peer=of_peer, unit="s", bound=bound, judged=of_ours)


def _measured(airflow: DeferredAirflow, url: str, load: Callable[[Wait], tuple[str, dict[str, Any]]]) -> Measured:
    with (
        simulated_api() as api,
        airflow.triggerer({CONN_ID: api.connection("twilio_comms")}),
        airflow.running_tasks(WAITS) as defer,
    ):
        now = time.time()
        ends = now + LASTS
        ids = api.begin(WAITS, processing_for=LASTS)
        waits = [Wait(one, now, ends, ends) for one in ids]
        defer(
            [
                {"at": wait.begins, "trigger": name, "arguments": arguments}
                for wait in waits
                for name, arguments in [load(wait)]
            ]
        )
        return _watched(url, ends)


def _watched(url: str, ends: float) -> Measured:
    """Watch the triggerer's heartbeat until no task is deferred any more."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    oldest, left, lates = 0.0, WAITS, list[float]()
    time.sleep(max(0.0, ends - time.time()))
    with engine.connect() as connection:
        while left:
            if time.time() > ends + LATEST:
                raise RuntimeError(f"{left} tasks are still deferred, {LATEST:.0f} s after the end.")
            age, deferred = connection.execute(text(STATE)).one()
            oldest = max(oldest, float(age))
            lates += [time.time() - ends] * (left - deferred)
            left = deferred
            time.sleep(CHECK_EVERY)
    engine.dispose()
    return Measured(oldest, max(lates), mean(lates))

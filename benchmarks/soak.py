"""
Does a triggerer hold more and more while waits come and go?

They begin one after the other at an even rate and last as long each, so that after a while as many end as begin: from
then on memory, file descriptors, connections and asyncio tasks must be level. An interval of 5 s in the place of 60 s
makes two hours ten minutes. SOAK_SECONDS says how long it takes.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

from benchmarks.deferred_airflow import DeferredAirflow
from benchmarks.in_the_triggerer import CONN_ID
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import simulated_api
from local_airflow.postgres import find_programs, postgres
from local_airflow.processes import Processes

if TYPE_CHECKING:
    from benchmarks.deferred_airflow import Runner
    from benchmarks.deferring import Deferral

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
PER_SECOND = 10
LASTS = 30.0
"""Seconds of a wait."""
POKE_INTERVAL = 5.0
CHECK_EVERY = 2.0
COMPRESSED = 60.0 / POKE_INTERVAL
RECIPIENTS = 100
LEAD = 15.0
"""Seconds until the first wait begins: the tasks are made first."""
WAITING = "airflow_provider_comms.triggers.operation.CommsOperationTrigger"
COUNTING = "benchmarks.waiting_triggers.CountingTrigger"
MOST_MORE = {"memory": 0.05, "descriptors": 0.1, "connections": 0.1, "asyncio tasks": 0.1}
"""Share by which the last quarter may be above the second."""
UNITS = {"memory": "MB"}


@dataclass(frozen=True)
class Held:
    """What a triggerer's runner holds at a time; memory in MB."""

    memory: float
    descriptors: float
    connections: float
    tasks: float


def run() -> Report:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="airflow-provider-comms-soak-")))
        processes = stack.enter_context(Processes(folder / "logs"))
        (folder / "airflow").mkdir()
        database = f"sqlite:///{folder / 'airflow' / 'airflow.db'}"
        if find_programs():
            database = stack.enter_context(postgres(processes))
        airflow = DeferredAirflow(folder / "airflow", database, 10_000, processes)
        airflow.prepare()
        samples, ended = _soaked(airflow, folder / "asyncio-tasks")
    second, last = (_typical(samples, quarter) for quarter in (1, 3))
    return Report(
        "soak",
        f"does a triggerer hold more while {ended:,} waits come and go, {PER_SECOND} a second?",
        "second quarter",
        [_figure(name, *pair) for name, *pair in zip(MOST_MORE, astuple(last), astuple(second), strict=True)],
        [
            f"{SECONDS:.0f} s, every {POKE_INTERVAL:.0f} s: as many polls as in {SECONDS * COMPRESSED / 3600:.1f} h.",
            "Medians of the last quarter and of the second.",
            f"At most {max(one.memory for one in samples):.0f} MB.",
        ],
    )


def _figure(name: str, last: float, second: float) -> Figure:
    ratio = last / second
    return Figure(
        what=name,
        ours=last,
        peer=second,
        unit=UNITS.get(name, ""),
        ratio=ratio,
        bound=Bound("≤", 1 + MOST_MORE[name]),
        judged=ratio,
    )


def _typical(samples: list[Held], quarter: int) -> Held:
    size = len(samples) // 4
    return Held(*map(median, zip(*map(astuple, samples[quarter * size : (quarter + 1) * size]), strict=True)))


def _soaked(airflow: DeferredAirflow, counted: Path) -> tuple[list[Held], int]:
    """Let waits come and go; return what was held from time to time, and how many tasks got their event."""
    waits = int(SECONDS * PER_SECOND)
    with (
        simulated_api() as api,
        airflow.triggerer({CONN_ID: api.connection("twilio_comms")}) as runner,
        airflow.running_tasks(waits + 1, longest=SECONDS + 120) as defer,
    ):
        now = time.time()
        begins = [now + LEAD + number / PER_SECOND for number in range(waits)]
        ids = [api.begin(1, processing_for=at - now + LASTS, recipients=RECIPIENTS)[0] for at in begins]
        counting = {
            "at": now,
            "trigger": "benchmarks.waiting_triggers.CountingTrigger",
            "arguments": {"path": str(counted)},
        }
        deferrals = [counting, *(_deferral(one, at) for one, at in zip(ids, begins, strict=True))]
        deferring = Thread(target=defer, args=(deferrals,))
        deferring.start()
        time.sleep(max(0.0, begins[0] - time.time()))
        samples = _watched(runner, counted, begins[-1])
        deferring.join()
        time.sleep(LASTS + 2 * POKE_INTERVAL)
        if (finished := airflow.tasks.finished()) < waits:
            raise RuntimeError(f"{finished} of {waits} tasks received the event that their operation has finished.")
    return samples, finished


def _deferral(operation_id: str, at: float) -> Deferral:
    arguments = {
        "resource": "emails",
        "operation_id": operation_id,
        "comms_conn_id": CONN_ID,
        "poke_interval": POKE_INTERVAL,
        "started_at": at,
    }
    return {
        "at": at,
        "trigger": "airflow_provider_comms.triggers.operation.CommsOperationTrigger",
        "arguments": arguments,
    }


def _watched(runner: Runner, counted: Path, until: float) -> list[Held]:
    samples = []
    while time.time() < until:
        runner.check()
        if counted.exists() and (tasks := counted.read_text()):
            descriptors, connections = runner.handles()
            samples.append(Held(runner.memory(), descriptors, connections, float(tasks)))
        time.sleep(CHECK_EVERY)
    return samples

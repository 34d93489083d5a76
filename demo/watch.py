"""Reading how far the sends are while they go on."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local_airflow.airflow import LocalAirflow
    from local_airflow.rest import Slots
    from local_airflow.runs import Run
    from local_airflow.simulator import Simulator

SECONDS_BETWEEN_SNAPSHOTS = 0.7
SEND, WAIT, STATS, USE = "send", "wait", "export_stats", "use_stats"


@dataclass
class Flow:
    """One of the run's two task groups: a send and what follows it."""

    resource: str
    run: Run

    def task_id(self, name: str) -> str:
        """Return the id of one of its tasks."""
        return f"{self.resource}.{name}"

    @cached_property
    def operation_ids(self) -> list[str]:
        """The operations that Twilio made of the send; asked for when that has succeeded."""
        return list(self.run.xcom(self.task_id(SEND))["operations"])


@dataclass(frozen=True)
class Progress:
    """The state of one flow: of each of its tasks by name, and of the send's operations."""

    resource: str
    tasks: dict[str, str]
    status: str
    counters: dict[str, int]


@dataclass(frozen=True)
class Snapshot:
    """The state of both flows, and how busy the workers are."""

    flows: list[Progress]
    slots: Slots


def watch(airflow: LocalAirflow, simulator: Simulator, flows: Sequence[Flow]) -> Iterator[Snapshot]:
    """Yield snapshots until the run has ended."""
    run, ended = flows[0].run, False
    while not ended:
        airflow.processes.check()
        ended = run.has_ended()
        states = run.states
        yield Snapshot([_progress(flow, states, simulator) for flow in flows], airflow.api.slots())
        time.sleep(0 if ended else SECONDS_BETWEEN_SNAPSHOTS)


def _progress(flow: Flow, states: dict[str, str], simulator: Simulator) -> Progress:
    tasks = {name: states.get(flow.task_id(name), "none") for name in (SEND, WAIT, STATS, USE)}
    if tasks[SEND] != "success":
        return Progress(flow.resource, tasks, "not sent yet", {})
    operations = [simulator.fetch(flow.resource, operation_id) for operation_id in flow.operation_ids]
    counters: Counter[str] = Counter()
    for operation in operations:
        counters.update(operation.counters)
    return Progress(flow.resource, tasks, "/".join(sorted({one.status for one in operations})), dict(counters))

"""Reading the state of the waits while they go on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local_airflow.airflow import LocalAirflow
    from local_airflow.rest import Slots
    from local_airflow.runs import Run
    from local_airflow.simulator import OperationState, Simulator

SECONDS_BETWEEN_SNAPSHOTS = 0.7


@dataclass(frozen=True)
class Wait:
    """One operation, and the run that waits for it."""

    resource: str
    operation_id: str
    run: Run


@dataclass(frozen=True)
class Progress:
    """The state of one wait: of each of its tasks, and of the operation."""

    resource: str
    tasks: dict[str, str]
    operation: OperationState


@dataclass(frozen=True)
class Snapshot:
    """The state of all waits, and how busy the workers are."""

    waits: list[Progress]
    slots: Slots


def watch(airflow: LocalAirflow, simulator: Simulator, waits: Sequence[Wait]) -> Iterator[Snapshot]:
    """Yield snapshots until all runs have ended."""
    ended = False
    while not ended:
        airflow.processes.check()
        ended = all(wait.run.has_ended() for wait in waits)
        yield Snapshot([_progress(wait, simulator) for wait in waits], airflow.api.slots())
        time.sleep(0 if ended else SECONDS_BETWEEN_SNAPSHOTS)


def _progress(wait: Wait, simulator: Simulator) -> Progress:
    return Progress(wait.resource, wait.run.states, simulator.fetch(wait.resource, wait.operation_id))

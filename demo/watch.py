"""Looking at the waits while they go on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from demo.simulator import OperationState, Simulator
    from local_airflow.airflow import LocalAirflow
    from local_airflow.rest import Slots
    from local_airflow.runs import Run

SECONDS_BETWEEN_LOOKS = 0.7


@dataclass(frozen=True)
class Wait:
    """One operation, and the run that waits for it."""

    resource: str
    operation_id: str
    run: Run


@dataclass(frozen=True)
class Sight:
    """How far one wait is: the state of each task, and what the API says of the operation."""

    resource: str
    tasks: dict[str, str]
    operation: OperationState


@dataclass(frozen=True)
class Snapshot:
    """All waits at one moment, and how busy the workers are."""

    sights: list[Sight]
    slots: Slots


def watch(airflow: LocalAirflow, simulator: Simulator, waits: Sequence[Wait]) -> Iterator[Snapshot]:
    """Yield snapshots until all runs have ended."""
    ended = False
    while not ended:
        airflow.processes.check()
        ended = all(wait.run.has_ended() for wait in waits)
        yield Snapshot([_sight(wait, simulator) for wait in waits], airflow.api.slots())
        time.sleep(0 if ended else SECONDS_BETWEEN_LOOKS)


def _sight(wait: Wait, simulator: Simulator) -> Sight:
    return Sight(wait.resource, wait.run.states, simulator.look_at(wait.resource, wait.operation_id))

"""How long a task took, and how much of that it held a worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from local_airflow.runs import Run


@dataclass(frozen=True)
class WorkerTime:
    """
    The time of one task.

    :param waited: from its first start to its end, in seconds
    :param held: the seconds of these in the state ``running``: only then does a task hold a worker
    """

    waited: float
    held: float

    @property
    def deferred(self) -> float:
        """Seconds without a worker."""
        return self.waited - self.held

    @classmethod
    def of(cls, run: Run, task_id: str) -> Self:
        """Compute it from a finished task's times and changes of state, as Airflow's REST API returns them."""
        task = run.task(task_id)
        if not (task.start and task.end):
            raise ValueError(f"Task {task_id} of {run} has not ended.")
        events = run.events(task_id)
        start = min(task.start, *[event.when for event in events])
        spans = [after.when - event.when for event, after in pairwise(events) if event.name == "running"]
        return cls((task.end - start).total_seconds(), sum(spans, timedelta()).total_seconds())

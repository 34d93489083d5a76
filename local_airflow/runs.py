"""One DAG run in a real Airflow, read through its REST API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_airflow.errors import RunError
from local_airflow.rest import TERMINAL_RUN_STATES, AirflowApi, Event, TaskInstance

FAILED_TASK_STATES = frozenset({"failed", "up_for_retry"})


@dataclass(frozen=True)
class Run:
    """A DAG run; every property is read from Airflow when it is used."""

    api: AirflowApi
    dag_id: str
    run_id: str

    def __str__(self) -> str:
        return f"run {self.run_id} of {self.dag_id}"

    @property
    def state(self) -> str:
        """The run's state, such as ``running`` or ``success``."""
        return self.api.run_state(self.dag_id, self.run_id)

    def has_ended(self) -> bool:
        """Say whether the run has ended, in whatever state."""
        return self.state in TERMINAL_RUN_STATES

    @property
    def tasks(self) -> list[TaskInstance]:
        """All task instances of the run."""
        return self.api.tasks(self.dag_id, self.run_id)

    @property
    def states(self) -> dict[str, str]:
        """The state of each task; mapped ones are named ``task[0]``, ``task[1]`` ..."""
        return {task.name: task.state for task in self.tasks}

    def task(self, task_id: str, map_index: int = -1) -> TaskInstance:
        """Return one task instance."""
        return next(t for t in self.tasks if (t.task_id, t.map_index) == (task_id, map_index))

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Return the value that a task left for others."""
        return self.api.xcom(self.dag_id, self.run_id, task_id, key, map_index)

    def log(self, task_id: str, map_index: int = -1) -> str:
        """Return the log of a task's last try."""
        return self.api.log(self.dag_id, self.task(task_id, map_index))

    def clear(self) -> None:
        """Clear all its tasks, as somebody does in the web UI: they run again."""
        self.api.clear(self.dag_id, self.run_id)

    def events(self, task_id: str) -> list[Event]:
        """Return a task's changes of state, oldest first."""
        return self.api.events(self.dag_id, self.run_id, task_id)

    def check(self) -> None:
        """Raise :class:`RunError`, with the log of each failed task, unless the run succeeded."""
        if (state := self.state) != "success":
            raise RunError(f"The {self} is {state}.", self.describe())

    def describe(self) -> str:
        """Return the states of the tasks, with the log of each one that failed."""
        tasks = self.tasks
        states = ", ".join(f"{task.name} {task.state}" for task in tasks)
        logs = [self._titled_log(task) for task in tasks if task.state in FAILED_TASK_STATES]
        return "\n\n".join([f"Tasks of {self.run_id}: {states}.", *logs])

    def _titled_log(self, task: TaskInstance) -> str:
        return f"Log of task {task.name}, try {task.try_number}:\n{self.api.log(self.dag_id, task)}"

"""One run of a DAG in this process, as ``airflow dags test`` does it, and its result."""

from __future__ import annotations

import io
import logging
import sys
from collections import defaultdict
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl
from packaging.version import Version

from airflow_provider_comms.testing.airflow_versions import AIRFLOW, listener_manager, read_xcom, register
from airflow_provider_comms.waiting.spec import WaitSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO

    from airflow.providers.common.compat.sdk import DAG

_PROVIDER = "airflow_provider_comms."


class TaskLogs(io.TextIOBase):
    """
    What is logged and printed, by the task that runs meanwhile; passed on to where it would have gone.

    :param passed_on: where that is.
    """

    def __init__(self, passed_on: TextIO) -> None:
        self.by_task: dict[str, str] = defaultdict(str)
        self.task_id = ""
        self._passed_on = passed_on

    def write(self, text: str) -> int:
        """Take a piece of a log."""
        self.by_task[self.task_id] += text
        return self._passed_on.write(text)

    def flush(self) -> None:
        """Pass on what is held back."""
        self._passed_on.flush()


class _Listener:
    """Hears of each task that starts or fails."""

    def __init__(self, logs: TaskLogs, errors: list[BaseException]) -> None:
        self._logs, self._errors = logs, errors

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        self._logs.task_id = task_instance.task_id

    @hookimpl
    def on_task_instance_failed(self, error: BaseException) -> None:
        self._errors.append(error)


@dataclass
class DagRun:
    """
    The result of a run.

    :param dag_id: its DAG.
    :param run_id: its id.
    :param state: its state, such as ``success``.
    :param states: the state of each task by its id; a list by map index where the task is mapped.
    :param map_labels: the names of a mapped task's instances in the UI, as a list by map index; None if unnamed.
    :param errors: the exceptions with which tasks failed, oldest first.
    :param logs: what was logged and printed, by task id; all of a mapped task's instances together.
    """

    dag_id: str
    run_id: str
    state: str
    states: dict[str, Any] = field(default_factory=dict)
    map_labels: dict[str, list[str | None]] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)
    logs: Mapping[str, str] = field(default_factory=dict, repr=False)

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        """
        Return a task's XCom.

        :param task_id: the task.
        :param key: the XCom's key.
        :return: as a downstream task reads it; None if there is none; for a mapped task, a list by map index.
        """
        if isinstance(states := self.states.get(task_id), list):
            return [read_xcom(self.dag_id, self.run_id, task_id, key, index) for index in range(len(states))]
        return read_xcom(self.dag_id, self.run_id, task_id, key)

    def log(self, task_id: str) -> str:
        """
        Return what a task logged and printed, in a worker and in the triggerer.

        :param task_id: the task.
        """
        return self.logs.get(task_id, "")

    @property
    def error(self) -> BaseException:
        """
        The one exception that a task failed with.

        :raises AssertionError: when there is none, or more than one.
        """
        if len(self.errors) != 1:
            raise AssertionError(f"{len(self.errors)} tasks failed: {self.errors}")
        return self.errors[0]


def run_dag(dag: DAG, conf: Mapping[str, object] | None = None, *, poke_interval: float | None = 0.1) -> DagRun:
    """
    Run a DAG to its end, task by task; a task that defers has its trigger run in this process.

    :param dag: the DAG; nothing of it need be in a file.
    :param conf: the run's configuration.
    :param poke_interval: seconds between two polls of waits of this provider, whatever the DAG says, so that an
        operation that ends after two seconds ends the wait then; None for what the DAG says.
    """
    register(dag)
    errors: list[BaseException] = []
    logs = TaskLogs(sys.stdout)
    with _listening(_Listener(logs, errors)), _logged(logs), _polling_every(poke_interval, dag):
        dag_run = dag.test(run_conf=dict(conf) if conf else None)
    run = DagRun(dag.dag_id, dag_run.run_id, str(dag_run.state), errors=errors, logs=dict(logs.by_task))
    for ti in sorted(dag_run.get_task_instances(), key=lambda ti: ti.map_index):
        run.map_labels.setdefault(ti.task_id, []).append(ti.rendered_map_index)
        if ti.map_index < 0:
            run.states[ti.task_id] = str(ti.state)
        else:
            run.states.setdefault(ti.task_id, []).append(str(ti.state))
    return run


@contextmanager
def _logged(logs: TaskLogs) -> Iterator[None]:
    """Airflow prints a task's log from 3.1 on; before, it is in Python's logging."""
    handler = logging.StreamHandler(logs)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s - %(message)s"))
    logger = logging.getLogger("airflow.task")
    if Version("3") > AIRFLOW:
        logger.addHandler(handler)
    try:
        with redirect_stdout(logs):
            yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def _polling_every(seconds: float | None, dag: DAG) -> Iterator[None]:
    """Let each wait of this provider poll so often, and afterwards as its author wrote."""
    changes = [] if seconds is None else list(_poke_intervals(dag, seconds))
    before = [(arguments, name, arguments.get(name)) for arguments, name, _ in changes]
    try:
        for arguments, name, value in changes:
            arguments[name] = value
        yield
    finally:
        for arguments, name, value in before:
            arguments[name] = value


def _poke_intervals(dag: DAG, seconds: float) -> Iterator[tuple[dict[str, Any], str, Any]]:
    """For each wait of this provider, where it keeps its interval, under which name, and what to put there."""
    for task in dag.tasks:
        kind, arguments = getattr(task, "operator_class", type(task)), getattr(task, "partial_kwargs", vars(task))
        if not any(base.__module__.startswith(_PROVIDER) for base in kind.__mro__):
            continue
        if "poke_interval" in arguments:
            yield arguments, "poke_interval", seconds
        if isinstance(spec := arguments.get("spec"), WaitSpec):
            yield arguments, "spec", replace(spec, poke_interval=seconds)


@contextmanager
def _listening(listener: _Listener) -> Iterator[None]:
    """A callback of the DAG's would not do: Airflow 3.0 gives it no exception after a deferral."""
    manager = listener_manager()
    manager.add_listener(listener)
    try:
        yield
    finally:
        manager.pm.unregister(listener)

"""
Defers tasks in Airflow's database as its API server does for a worker; a process in that Airflow's environment.

A thousand workers would be all that one measures. It makes tasks that run, says so on a line of its output, reads
from its input what they wait for, and defers each when it is time to.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from airflow.models.dag_version import DagVersion
    from airflow.models.dagrun import DagRun
    from airflow.models.trigger import Trigger
    from sqlalchemy.orm import Session

DAG_ID, TASK_ID, RUN_ID = "waits", "wait", "measured"
READY = "ready"
STEP = 0.1
"""Seconds: what is due within them is one transaction."""
TIMEOUT = timedelta(days=1)

Deferral = dict[str, Any]
"""`at` in seconds since the epoch, `trigger`: the path of its class, `arguments` of the trigger."""


def main() -> None:
    tasks = make_tasks(int(sys.argv[1]))
    print(f"\n{READY}", flush=True)
    defer(tasks, json.load(sys.stdin))


def make_tasks(count: int) -> list[UUID]:
    """Put a run with so many mapped tasks in place of all that was there; return the tasks' ids."""
    from airflow.models.dag_version import DagVersion
    from airflow.models.dagbag import DBDagBag
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import delete

    with create_session() as session:
        for model in (TaskInstance, Trigger, DagRun):
            session.execute(delete(model))
        version = DagVersion.get_latest_version(DAG_ID, session=session)
        session.add(_run(version))
        session.flush()
        task = DBDagBag().get_latest_version_of_dag(DAG_ID, session=session).get_task(TASK_ID)
        tasks = [
            TaskInstance(task, version.id, RUN_ID, state=TaskInstanceState.RUNNING, map_index=place)
            for place in range(count)
        ]
        for one in tasks:
            one.try_number, one.start_date = 1, datetime.now(UTC)
        session.add_all(tasks)
        return [one.id for one in tasks]


def _run(version: DagVersion) -> DagRun:
    from airflow.models.dagrun import DagRun
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    now = datetime.now(UTC)
    run = DagRun(
        DAG_ID,
        RUN_ID,
        run_after=now,
        start_date=now,
        state=DagRunState.RUNNING,
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.TEST,
    )
    run.created_dag_version_id = version.id
    return run


def defer(tasks: list[UUID], deferrals: list[Deferral]) -> None:
    """Defer each task when it is due, or as soon as it can be done."""
    from airflow.utils.session import create_session

    for due_at, due in _in_steps(list(zip(tasks, deferrals, strict=True))):
        time.sleep(max(0.0, due_at - time.time()))
        with create_session() as session:
            _defer(due, session)


def _in_steps(pairs: list[tuple[UUID, Deferral]]) -> Iterator[tuple[float, list[tuple[UUID, Deferral]]]]:
    """Give a time, and what becomes due in the moment before it."""

    def step(pair: tuple[UUID, Deferral]) -> int:
        return int(pair[1]["at"] / STEP) + 1

    for number, due in groupby(sorted(pairs, key=step), step):
        yield number * STEP, list(due)


def _defer(due: list[tuple[UUID, Deferral]], session: Session) -> None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.sdk.serde import serialize
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import update

    triggers = [_trigger_row(deferral) for _, deferral in due]
    session.add_all(triggers)
    session.flush()
    timeout = datetime.now(UTC) + TIMEOUT
    changes = [
        {
            "id": task,
            "state": TaskInstanceState.DEFERRED,
            "trigger_id": trigger.id,
            "trigger_timeout": timeout,
            "next_method": "execute_complete",
            "next_kwargs": serialize({}),
        }
        for (task, _), trigger in zip(due, triggers, strict=True)
    ]
    session.execute(update(TaskInstance), changes)


def _trigger_row(deferral: Deferral) -> Trigger:
    from airflow.models.trigger import Trigger
    from airflow.sdk.serde import serialize

    path, kwargs = resolve_name(deferral["trigger"])(**deferral["arguments"]).serialize()
    row = Trigger(path, {})
    # As it comes from a worker, which does not encrypt it.
    row.encrypted_kwargs = json.dumps(serialize(kwargs))
    return row


if __name__ == "__main__":
    main()

"""What a wait costs in the two processes of a triggerer, in Airflow's own code: its runner, and its supervisor."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measure import apart, spending
from benchmarks.scale import costs
from benchmarks.simulated import simulated_api
from benchmarks.ten_thousand_waits import CONNECTION, FOR_EVER, pending_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.executors.workloads.task import TaskInstanceDTO
    from airflow.executors.workloads.trigger import RunTrigger
    from airflow.jobs.triggerer_job_runner import TriggerRunner

    Costs = dict[str, float]

INTERVAL = 10.0
MANY = 100
"""Ids of a task that waits for many."""
FACTORIES = 2_000


def measure_triggerer(waits: int) -> dict[str, Costs]:
    """Return what each of so many waits on a triggerer costs it."""
    with simulated_api() as api, TemporaryDirectory(prefix="airflow-provider-comms-logs-") as logs:
        api.seed(waits, processing_for=FOR_EVER, spread=60, until=datetime.now(UTC).isoformat())
        env = {CONNECTION: api.connection("twilio_comms")}
        ids = apart(pending_ids, **api.access)
        return {
            "runner, an id a task": apart(watch_runner, env=env, ids=ids, ids_per_task=1),
            f"runner, {MANY} ids a task": apart(watch_runner, env=env, ids=ids, ids_per_task=MANY),
            "supervisor": apart(open_logs, env={"AIRFLOW__LOGGING__BASE_LOG_FOLDER": logs}),
        }


def watch_runner(ids: list[str], ids_per_task: int) -> Costs:
    """Let Airflow's runner run our triggers, and watch it for some intervals."""
    groups = [ids[start : start + ids_per_task] for start in range(0, len(ids), ids_per_task)]
    return asyncio.run(_watch(groups, len(ids)))


async def _watch(groups: list[list[str]], waits: int) -> Costs:
    runner = _new_runner()
    await _take(runner, groups[:1])  # What is loaded for the first wait is no cost of the others.
    before = _memory()
    await _take(runner, groups[1:])
    await asyncio.sleep(INTERVAL)
    held = (_memory() - before) / waits / 1000
    with spending() as a_pass:
        await runner.cleanup_finished_triggers()
    with spending() as two_intervals:
        await asyncio.sleep(2 * INTERVAL)
    tasks = [trigger["task"] for trigger in runner.triggers.values()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "kB a wait": held,
        "µs a task in a pass": a_pass.cpu / len(groups) * 1e6,
        "µs a wait in an interval": two_intervals.cpu / 2 / waits * 1e6,
    }


def _new_runner() -> TriggerRunner:
    import logging

    import structlog
    from airflow.jobs.triggerer_job_runner import TriggerRunner

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.WARNING)
    return TriggerRunner()


async def _take(runner: TriggerRunner, groups: list[list[str]]) -> None:
    """Create triggers as the runner does when its supervisor sends them, and give them time for a first poll."""
    for start in range(0, len(groups), costs.TAKEN_IN_A_LOOP):
        runner.to_create.extend(_workloads(groups[start : start + costs.TAKEN_IN_A_LOOP], len(runner.triggers)))
        await runner.create_triggers()
    await asyncio.sleep(3)


def _workloads(groups: Iterable[list[str]], first: int) -> Iterable[RunTrigger]:
    from airflow.executors.workloads.trigger import RunTrigger

    for number, ids in enumerate(groups, first):
        kwargs = {
            "resource": "emails",
            "operation_id": ids if len(ids) > 1 else ids[0],
            "poke_interval": INTERVAL,
            "started_at": time.time(),
        }
        yield RunTrigger(
            id=number + 1,
            classpath="airflow_provider_comms.triggers.operation.CommsOperationTrigger",
            encrypted_kwargs=json.dumps(kwargs),
            ti=_task_instance(number),
            timeout_after=datetime.now(UTC) + timedelta(days=1),
        )


def _task_instance(number: int) -> TaskInstanceDTO:
    from airflow.executors.workloads.task import TaskInstanceDTO

    return TaskInstanceDTO(
        id=uuid.uuid4(),
        dag_version_id=uuid.uuid4(),
        dag_id="waits",
        task_id="wait",
        run_id="run",
        map_index=number,
        try_number=1,
        pool_slots=1,
        queue="default",
        priority_weight=1,
    )


def open_logs() -> Costs:
    """Write a first line for each of some waits, as the supervisor does; each keeps its file open until it ends."""
    from airflow.jobs.triggerer_job_runner import TriggerLoggingFactory
    from airflow.sdk.log import logging_processors

    processors = logging_processors(json_output=True)

    def open_one(number: int) -> TriggerLoggingFactory:
        factory = TriggerLoggingFactory(log_path=f"{number}.log", ti=_task_instance(number))
        factory(processors).info("trigger starting", name="wait")
        return factory

    factories = [open_one(0)]
    held, files = _memory(), _open_files()
    factories += [open_one(number + 1) for number in range(FACTORIES)]
    costs = {"kB a wait": (_memory() - held) / FACTORIES / 1000, "open files": (_open_files() - files) / FACTORIES}
    for factory in factories:
        factory.close()
    return costs


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _memory() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

"""What the demo does, from start to end."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.progress import show_progress
from demo.report import Result, report_table
from demo.watch import Wait, watch
from local_airflow.airflow import LocalAirflow
from local_airflow.errors import WaitTimeoutError
from local_airflow.simulator import Simulator
from local_airflow.worker_time import WorkerTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.output import Output
    from local_airflow.processes import Processes

PROJECT = Path(__file__).resolve().parent.parent
EXAMPLE = PROJECT / "example_dags" / "comms_wait_and_report.py"
DAG_ID = EXAMPLE.stem
WAITING_TASK, STATS_TASK, USING_TASK = "wait", "export_stats", "use_stats"
STATS_KEY = "return_value"
TIMES = {"scheduled_for": 3, "processing_for": 17}
PLANS: dict[str, dict[str, Any]] = {
    "emails": {**TIMES, "recipients": 1200, "opened": 0.4, "failed": 0.01, "undelivered": 0.03},
    "messages": {**TIMES, "recipients": 800, "opened": 0.6, "undelivered": 0.03, "unaddressable": 0.02},
}


@dataclass(frozen=True)
class Stage:
    """
    What the demo needs.

    :param output: where it prints
    :param folder: what it may write in; Airflow's home is made there
    :param processes: what starts and stops its processes
    :param max_seconds: after which even the simulator stops by itself
    """

    output: Output
    folder: Path
    processes: Processes
    max_seconds: float


def run_demo(stage: Stage) -> str:
    """Run all of it, and return the address of Airflow's web UI."""
    stage.output.log("Starting a simulated Comms API and a real Airflow, all on this machine.")
    simulator = Simulator(stage.processes, stage.max_seconds)
    airflow = _start_airflow(stage, simulator)
    waits = [_start_wait(resource, stage, simulator, airflow) for resource in PLANS]
    _follow(stage.output, airflow, simulator, waits)
    _report(stage.output, waits)
    return airflow.url


def _start_airflow(stage: Stage, simulator: Simulator) -> LocalAirflow:
    airflow = LocalAirflow(
        stage.folder / "airflow",
        _dags_folder(stage.folder),
        stage.processes,
        connections={"twilio_comms_default": simulator.connection},
    )
    with stage.output.spinner("Airflow creates its database ..."):
        airflow.migrate()
    stage.output.log("Airflow has its database. Starting scheduler, DAG processor, triggerer and API server.")
    with stage.output.spinner("Airflow starts; this takes about 15 s ..."):
        airflow.start()
        airflow.wait_until_healthy()
        airflow.wait_for_dag(DAG_ID)
    stage.output.log("Airflow is healthy and has parsed the DAG.")
    return airflow


def _dags_folder(folder: Path) -> Path:
    """Make a folder with the one example that is shown, so that Airflow parses nothing else."""
    dags = folder / "dags"
    shutil.rmtree(dags, ignore_errors=True)
    dags.mkdir(parents=True)
    (dags / EXAMPLE.name).symlink_to(EXAMPLE)
    return dags


def _start_wait(resource: str, stage: Stage, simulator: Simulator, airflow: LocalAirflow) -> Wait:
    operation_id = simulator.create_operation(resource, **PLANS[resource])
    conf = {"resource": resource, "operation_id": operation_id}
    run = airflow.start_run(DAG_ID, conf, run_id=f"demo_{resource}")
    stage.output.log(f"{resource}: {run} waits for {operation_id}.")
    return Wait(resource, operation_id, run)


def _follow(output: Output, airflow: LocalAirflow, simulator: Simulator, waits: Sequence[Wait]) -> None:
    try:
        with show_progress(output) as show:
            for snapshot in watch(airflow, simulator, waits):
                show(snapshot)
    except WaitTimeoutError as error:
        raise WaitTimeoutError(error.headline, "\n\n".join(wait.run.describe() for wait in waits)) from error
    for wait in waits:
        wait.run.check()
    output.log("Both runs succeeded.")


def _report(output: Output, waits: Sequence[Wait]) -> None:
    output.print(f"\nDelivery stats, read from Airflow's XComs of the DAG {DAG_ID}:")
    output.print(report_table([_result(wait) for wait in waits]))
    for wait in waits:
        output.print(f"{wait.resource}: the task {USING_TASK} returned: {wait.run.xcom(USING_TASK)}")


def _result(wait: Wait) -> Result:
    run = wait.run
    return Result(
        resource=wait.resource,
        run_id=run.run_id,
        task_id=STATS_TASK,
        key=STATS_KEY,
        xcom=run.xcom(STATS_TASK, STATS_KEY),
        time=WorkerTime.of(run, WAITING_TASK),
    )

"""What the demo does, from start to end."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.progress import show_progress
from demo.recipients import COUNTS, write_recipients
from demo.report import Result, report_table
from demo.watch import STATS, USE, WAIT, Flow, watch
from local_airflow.airflow import LocalAirflow
from local_airflow.errors import WaitTimeoutError
from local_airflow.simulator import Simulator
from local_airflow.worker_time import WorkerTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.output import Output
    from local_airflow.processes import Processes

PROJECT = Path(__file__).resolve().parent.parent
DAG_FILE = PROJECT / "demo" / "dags" / "comms_demo.py"
DAG_ID = DAG_FILE.stem
CONN_ID = "twilio_comms_default"
SEND_PLAN: dict[str, Any] = {
    "processing_for": 17,
    "opened": 0.4,
    "failed": 0.01,
    "undelivered": 0.03,
    "unaddressable": 0.02,
}
"""What becomes of each send; e-mails have no `unaddressable`."""


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
    simulator.change_settings(send_plan=SEND_PLAN)
    airflow = _start_airflow(stage, simulator)
    flows = _start_run(stage, airflow)
    _follow(stage.output, airflow, simulator, flows)
    _report(stage.output, simulator, flows)
    return airflow.url


def _start_airflow(stage: Stage, simulator: Simulator) -> LocalAirflow:
    airflow = LocalAirflow(stage.folder / "airflow", _dags_folder(stage.folder), stage.processes, connections={})
    airflow.env["COMMS_DEMO_RECIPIENTS"] = str(stage.folder / "recipients")  # So that the web UI can run it again.
    with stage.output.spinner("Airflow creates its database ..."):
        airflow.migrate()
    stage.output.log("Airflow has its database. Starting its four components.")
    with stage.output.spinner("Airflow starts; this takes about 15 s ..."):
        airflow.start()
        airflow.wait_until_healthy()
        # In the database, where the web UI shows it. Some Airflows refuse to test a connection without a port.
        airflow.api.set_connection(CONN_ID, {**json.loads(simulator.connection), "port": 0})
        airflow.wait_for_dag(DAG_ID)
    stage.output.log("Airflow is healthy and has parsed the DAG.")
    return airflow


def _dags_folder(folder: Path) -> Path:
    """Make a folder with the demo's DAG and all examples."""
    dags = folder / "dags"
    shutil.rmtree(dags, ignore_errors=True)
    dags.mkdir(parents=True)
    for file in (DAG_FILE, *sorted((PROJECT / "example_dags").glob("*.py"))):
        (dags / file.name).symlink_to(file)
    return dags


def _start_run(stage: Stage, airflow: LocalAirflow) -> list[Flow]:
    files = write_recipients(stage.folder / "recipients")
    run = airflow.start_run(DAG_ID, files, run_id="demo")
    for resource, path in files.items():
        stage.output.log(f"{resource}: {COUNTS[resource]:,} recipients from {Path(path).relative_to(PROJECT)}")
    return [Flow(resource, run) for resource in files]


def _follow(output: Output, airflow: LocalAirflow, simulator: Simulator, flows: Sequence[Flow]) -> None:
    run = flows[0].run
    try:
        with show_progress(output) as show:
            for snapshot in watch(airflow, simulator, flows):
                show(snapshot)
    except WaitTimeoutError as error:
        raise WaitTimeoutError(error.headline, run.describe()) from error
    run.check()
    output.log("The run has succeeded.")


def _report(output: Output, simulator: Simulator, flows: Sequence[Flow]) -> None:
    output.print(f"\nThe result, read from the XComs of the DAG {DAG_ID}:")
    output.print(report_table([_result(flow, simulator) for flow in flows]))
    for flow in flows:
        output.print(f"{flow.resource}: the task {USE} returned: {flow.run.xcom(flow.task_id(USE))}")


def _result(flow: Flow, simulator: Simulator) -> Result:
    accepted = simulator.sends(flow.resource)
    return Result(
        resource=flow.resource,
        accepted=(accepted["recipients"], len(accepted["repeated"])),
        task_id=flow.task_id(STATS),
        xcom=flow.run.xcom(flow.task_id(STATS)),
        time=WorkerTime.of(flow.run, flow.task_id(WAIT)),
    )

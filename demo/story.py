"""What the demo does, from top to bottom."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.progress import progress_for
from demo.report import Result, report
from demo.simulator import Simulator
from demo.watch import Wait, watch
from demo.worker_time import WorkerTime
from local_airflow.airflow import LocalAirflow
from local_airflow.failures import TookTooLong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.narrator import Narrator
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


class Story:
    """
    One demonstration.

    :param narrator: tells it
    :param folder: what it may write in; Airflow's home is made there
    :param processes: what starts and stops its processes
    :param lives_for: seconds after which even the simulator is to stop by itself
    """

    def __init__(self, narrator: Narrator, folder: Path, processes: Processes, lives_for: float) -> None:
        self.narrator = narrator
        self.folder = folder
        self.processes = processes
        self.lives_for = lives_for

    def tell(self) -> str:
        """Tell it all, and return the address of Airflow's web UI."""
        self.narrator.say("Starting a simulated Comms API and a real Airflow; all of it on this machine.")
        simulator = Simulator(self.processes, self.lives_for)
        airflow = self._start_airflow(simulator)
        waits = [self._begin(resource, simulator, airflow) for resource in PLANS]
        self._follow(airflow, simulator, waits)
        self._report(waits)
        return airflow.url

    def _start_airflow(self, simulator: Simulator) -> LocalAirflow:
        connections = {"twilio_comms_default": simulator.connection}
        home, connections = self.folder / "airflow", {"twilio_comms_default": simulator.connection}
        airflow = LocalAirflow(home, self._dags(), self.processes, connections=connections)
        with self.narrator.busy("Airflow makes its database ..."):
            airflow.migrate()
        self.narrator.say("Airflow has its database; starting scheduler, DAG processor, triggerer and API server.")
        with self.narrator.busy("Airflow starts; this takes about 15 s ..."):
            airflow.start()
            airflow.wait_until_healthy()
            airflow.wait_for_dag(DAG_ID)
        self.narrator.say("Airflow is healthy and knows the DAG.")
        return airflow

    def _dags(self) -> Path:
        """Make a folder with the one example that is shown, so that Airflow parses nothing else."""
        dags = self.folder / "dags"
        shutil.rmtree(dags, ignore_errors=True)
        dags.mkdir(parents=True)
        (dags / EXAMPLE.name).symlink_to(EXAMPLE)
        return dags

    def _begin(self, resource: str, simulator: Simulator, airflow: LocalAirflow) -> Wait:
        operation_id = simulator.create_operation(resource, **PLANS[resource])
        conf = {"resource": resource, "operation_id": operation_id}
        run = airflow.start_run(DAG_ID, conf, run_id=f"demo_{resource}")
        self.narrator.say(f"{resource}: {run} waits for {operation_id}.")
        return Wait(resource, operation_id, run)

    def _report(self, waits: Sequence[Wait]) -> None:
        self.narrator.print(f"\nDelivery stats, read from Airflow's XComs of the DAG {DAG_ID}:")
        self.narrator.print(report([_result(wait) for wait in waits]))
        for wait in waits:
            sentence = wait.run.xcom(USING_TASK)
            self.narrator.print(f"{wait.resource}: the task {USING_TASK} made of them: {sentence}")

    def _follow(self, airflow: LocalAirflow, simulator: Simulator, waits: Sequence[Wait]) -> None:
        try:
            with progress_for(self.narrator) as show:
                for snapshot in watch(airflow, simulator, waits):
                    show(snapshot)
        except TookTooLong as error:
            logs = [wait.run.describe() for wait in waits]
            raise TookTooLong(error.headline, "\n\n".join(logs)) from error
        for wait in waits:
            wait.run.check()
        self.narrator.say("Both runs succeeded.")


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

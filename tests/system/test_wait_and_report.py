from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_airflow.errors import RunError
from local_airflow.waiting import wait_for
from local_airflow.worker_time import WorkerTime
from tests.system.together import started_together

if TYPE_CHECKING:
    from local_airflow.airflow import LocalAirflow
    from local_airflow.runs import Run
    from local_airflow.simulator import Simulator
    from tests.system.together import Endings

pytestmark = pytest.mark.system

DAG_ID = "comms_wait_and_report"
RESOURCES = ("emails", "messages")


@started_together
def both(airflow: LocalAirflow, simulator: Simulator, endings: Endings) -> tuple[tuple[Run, str], ...]:
    """For each resource, a run and the operation that it is about."""

    def start(resource: str) -> tuple[Run, str]:
        operation_id = simulator.create_operation(resource, processing_for=3600, recipients=50, failed=0.1)
        run = airflow.start_run(DAG_ID, {"resource": resource, "operation_id": operation_id})
        endings.when(lambda: _is_deferred(run), lambda: simulator.end_operation(resource, operation_id))
        return run, operation_id

    return tuple(map(start, RESOURCES))


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_example_waits_without_a_worker_and_hands_on_the_stats(
    both: tuple[tuple[Run, str], ...], simulator: Simulator, resource: str
) -> None:
    run, operation_id = both[RESOURCES.index(resource)]
    run.check()

    assert run.states == {"wait": "success", "export_stats": "success", "use_stats": "success"}
    exported = run.xcom("export_stats")
    assert (exported["id"], exported["status"]) == (operation_id, "COMPLETED")
    assert run.xcom("export_stats", "stats") == simulator.fetch(resource, operation_id).counters
    assert run.xcom("use_stats") == "45 of 50 reached (90.0 %)"
    assert WorkerTime.of(run, "wait").deferred > 0


@started_together
def refused(airflow: LocalAirflow) -> Run:
    return airflow.start_run(DAG_ID, {"resource": "messages", "operation_id": "../Emails"})


def test_a_wait_that_cannot_go_well_fails_with_a_log_that_says_why(refused: Run) -> None:
    assert refused.states == {"wait": "failed", "export_stats": "upstream_failed", "use_stats": "upstream_failed"}
    assert "../Emails" in refused.log("wait")
    with pytest.raises(RunError, match="wait failed"):
        refused.check()


@pytest.mark.usefixtures("no_other_runs")
def test_a_wait_survives_a_triggerer_that_is_killed(airflow: LocalAirflow, simulator: Simulator) -> None:
    operation_id = simulator.create_operation("emails", processing_for=3600)
    run = airflow.start_run(DAG_ID, {"resource": "emails", "operation_id": operation_id})
    wait_for(lambda: _is_deferred(run), what="the deferral of the wait", seconds=60)

    airflow.stop_component("triggerer", grace=0)
    airflow.start_component("triggerer")
    simulator.end_operation("emails", operation_id)
    airflow.wait_for_run(run, seconds=100)

    run.check()
    assert run.xcom("wait")["status"] == "COMPLETED"
    assert run.task("wait").try_number == 1


def _is_deferred(run: Run) -> bool:
    return run.states.get("wait") == "deferred"

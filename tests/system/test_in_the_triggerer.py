"""A wait that lives in the triggerer from beginning to end ends as in every other mode, and needs no worker."""

from __future__ import annotations

import re

import pytest
from airflow import __version__ as airflow_version

from tests.system.together import started_together
from tests.waits import PASSWORD, WAYS

pytestmark = pytest.mark.system

WHOLE = tuple(int(part) for part in airflow_version.split(".")[:2]) >= (3, 3)
RUNNING = "running"


@started_together
def ways(airflow, ways_simulators):
    """Each way is a task."""
    ids = [way.prepare(one, lasts=3) for way, one in zip(WAYS, ways_simulators, strict=True)]
    return airflow.start_run("ways_in_the_triggerer", {"ids": ids})


@pytest.mark.parametrize("number", range(len(WAYS)), ids=[str(way) for way in WAYS])
def test_a_wait_ends_the_same(ways, number):
    way, task_id = WAYS[number], f"way_{number}"
    task = ways.task(task_id)

    assert task.state == way.state
    assert task.try_number == 1
    if way.status:
        assert ways.xcom(task_id)["status"] == way.status
    log = ways.log(task_id)
    assert PASSWORD not in log
    assert "jo@example.com" not in log
    if way.error:
        assert way.error in log
        assert all(part in _flat(log) for part in way.says)


def _flat(log):
    return re.sub(r"\s+", " ", log)


@pytest.mark.skipif(not WHOLE, reason="Airflow renders templates in the triggerer from 3.3 on")
def test_a_wait_that_ends_as_wished_never_held_a_worker(ways):
    for number, way in enumerate(WAYS):
        if way.status == "COMPLETED":
            assert RUNNING not in [event.name for event in ways.events(f"way_{number}")], way


@started_together
def starts(airflow, ways_simulators):
    operation_id = ways_simulators[0].add_operation("emails", processing_for=8)
    return airflow.start_run("starts_in_the_triggerer", {"id": operation_id})


def test_every_way_to_hand_on_an_id_leads_to_the_result(starts):
    starts.check()
    for task_id in ("template", "upstream", "from_a_wait", "pulled", "callback", "outlet"):
        assert starts.xcom(task_id)["status"] == "COMPLETED", task_id
    assert [one["status"] for one in starts.xcom("several")] == ["COMPLETED"] * 2
    assert [starts.xcom("mapped", map_index=index)["status"] for index in (0, 1)] == ["COMPLETED"] * 2


@pytest.mark.skipif(not WHOLE, reason="Airflow renders templates in the triggerer from 3.3 on")
@pytest.mark.parametrize("task_id", ["template", "upstream", "from_a_wait", "several"])
def test_an_id_that_can_be_rendered_in_the_triggerer_needs_no_worker(starts, task_id):
    assert RUNNING not in [event.name for event in starts.events(task_id)]
    # A worker leaves the link behind; here the trigger must.
    assert starts.xcom(task_id, "_link_TwilioConsoleLink") == "https://www.twilio.com/docs/email/logs"


@pytest.mark.parametrize(
    ("task_id", "why"),
    [
        ("pulled", "only a worker can render its operation_id"),
        ("callback", "Airflow would drop on_success_callback"),
        ("outlet", "Airflow would drop outlets"),
    ],
)
def test_what_only_a_worker_can_do_is_done_by_one_and_the_log_says_why(starts, task_id, why):
    assert RUNNING in [event.name for event in starts.events(task_id)]
    assert (why if WHOLE else "it needs Airflow 3.3") in _flat(starts.log(task_id))


def test_a_callback_is_called(starts):
    assert "the callback was called" in starts.log("callback")

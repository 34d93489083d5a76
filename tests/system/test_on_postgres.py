"""What only a database that enforces lengths can tell: SQLite stores a label of any length, and PostgreSQL refuses."""

from __future__ import annotations

import pytest

from tests.system.together import started_together

pytestmark = [pytest.mark.system, pytest.mark.postgres]

LONGEST_ID = "i" * 255
IDS_PER_TASK = 100
TASKS = ("deferred", "poked", "in_triggerer", "export_stats")


@started_together
def many_ids(airflow, ways_simulators):
    simulator = ways_simulators[0]

    def operations(count):
        return [simulator.add_operation("emails", age=60, processing_for=1, recipients=2) for _ in range(count)]

    simulator.add_operation("emails", operation_id=LONGEST_ID, age=60, processing_for=1, recipients=2)
    groups = [operations(IDS_PER_TASK), operations(IDS_PER_TASK), LONGEST_ID]
    return airflow.start_run("many_ids_in_a_task", {"groups": groups}), groups


@pytest.mark.parametrize("task_id", TASKS)
def test_a_mapped_task_may_have_many_ids_or_a_long_one(many_ids, task_id):
    run, groups = many_ids
    assert {task.name: task.state for task in run.tasks if task.task_id == task_id} == {
        f"{task_id}[{index}]": "success" for index in range(len(groups))
    }


@pytest.mark.parametrize("task_id", TASKS)
def test_its_result_is_stored_whole(many_ids, task_id):
    run, groups = many_ids
    results = [run.xcom(task_id, map_index=index) for index in range(len(groups))]
    of_many = [result["operations"] if task_id == "export_stats" else result for result in results[:-1]]
    assert [[one["id"] for one in result] for result in of_many] == groups[:-1]
    assert results[-1]["id"] == LONGEST_ID

"""The label of a mapped task in the grid: Airflow's column holds 250 characters, and a longer label fails the task."""

from __future__ import annotations

import pytest
from airflow.models.taskinstance import TaskInstance
from airflow.providers.common.compat.sdk import DAG, XComArg
from jinja2 import Environment

from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from airflow_provider_comms.sensors.operation import CommsOperationSensor
from airflow_provider_comms.tasks.base import OperationTask

ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
TASKS = (CommsOperationSensor, CommsExportStatsOperator)
COLUMN = TaskInstance.__table__.c.rendered_map_index.type.length


def all_tasks(cls=OperationTask):
    for child in cls.__subclasses__():
        yield child
        yield from all_tasks(child)


@pytest.fixture(params=TASKS)
def label_of(request):
    """Render the label of a mapped task, as Airflow does once its other templates are rendered."""

    def label(operation_id):
        mapped = request.param.partial(task_id="mapped", resource="emails").expand(operation_id=[ID])
        task = request.param(task_id="wait", resource="emails", operation_id=ID)
        task.operation_id = operation_id
        return Environment(autoescape=False).from_string(mapped.map_index_template).render(task=task)

    return label


def test_every_task_of_ours_is_tried_here():
    assert {task for task in all_tasks() if task.__module__.startswith("airflow_provider_comms")} == set(TASKS)


@pytest.mark.parametrize(
    ("operation_id", "label"),
    [
        (ID, ID),
        ([ID], ID),
        ({"id": ID, "resource": "emails"}, ID),
        ([ID, "b"], f"{ID} and 1 more"),
        ([f"{ID}{number}" for number in range(100)], f"{ID}0 and 99 more"),
    ],
)
def test_it_names_the_first_operation_and_counts_the_others(label_of, operation_id, label):
    assert label_of(operation_id) == label


@pytest.mark.parametrize(
    "operation_id",
    [
        ["x" * 255] * 5000,
        "x" * 255,
        "x" * 100_000,
        {"id": "x" * 255},
        {"x" * 300: "x" * 300},
        "an odd id " * 50,
        ["an odd id " * 50],
        [],
        None,
        12,
        [None] * 300,
    ],
)
def test_it_fits_the_column_whatever_the_ids_are(label_of, operation_id):
    assert len(label_of(operation_id)) <= 200 < COLUMN


def test_it_does_not_fail_where_the_id_is_not_rendered_yet(label_of):
    with DAG(dag_id="mapped", schedule=None):
        upstream = CommsExportStatsOperator(task_id="upstream", resource="emails", operation_id=ID)
        assert len(label_of(XComArg(upstream))) <= COLUMN

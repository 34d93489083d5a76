"""Which sensors start from their triggers, and with what operation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_provider_comms.sensors.operation import CommsOperationSensor

ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
needs_3_3 = pytest.mark.skipif(airflow_version < "3.3", reason="Airflow renders a trigger's templates from 3.3 on")


@pytest.fixture
def dag():
    with DAG(dag_id="d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as made:
        yield made


def sensor(operation_id, **kwargs):
    arguments = {"task_id": "wait", "resource": "emails", "operation_id": operation_id, **kwargs}
    return CommsOperationSensor(**arguments, run_in_triggerer=True)


def operation_of(made):
    """Return the operation that the trigger is started with; None if a worker begins the wait."""
    assert made.deferrable
    started = getattr(made, "start_from_trigger", False)
    return made.start_trigger_args.trigger_kwargs["operation_id"] if started else None


@pytest.mark.skipif(airflow_version >= "3.3", reason="from 3.3 on the triggerer begins it")
def test_before_airflow_3_3_a_worker_begins_the_wait(dag):
    assert operation_of(sensor(ID)) is None


@needs_3_3
@pytest.mark.parametrize(
    ("operation_id", "rendered"),
    [
        (ID, ID),
        ([ID, "b"], [ID, "b"]),
        ("{{ params.operation_id }}", "{{ params.operation_id }}"),
        (
            "{{ ti.xcom_pull(task_ids='send', map_indexes=-1) }}",
            "{{ ti.xcom_pull(task_ids='send', map_indexes=-1) }}",
        ),
        # What only a worker can render.
        ("{{ ti.xcom_pull('send') }}", None),
        (["{{ params.operation_id }}"], None),
        ({"id": ID}, None),
    ],
)
def test_with_what_the_triggerer_can_render(dag, operation_id, rendered):
    assert operation_of(sensor(operation_id)) == rendered


@needs_3_3
def test_with_the_xcom_of_a_task_unless_it_is_mapped(dag):
    send = BaseOperator(task_id="send")
    mapped = BaseOperator.partial(task_id="mapped").expand(email=["a", "b"])

    pulled = "{{ ti.xcom_pull(task_ids='send', key='return_value', map_indexes=-1) | tojson }}"
    assert operation_of(sensor(send.output)) == pulled
    assert operation_of(sensor(mapped.output, task_id="three")) is None


@needs_3_3
@pytest.mark.parametrize(
    "kwargs", [{"do_xcom_push": False}, {"multiple_outputs": True}, {"on_success_callback": print}, {"outlets": ["x"]}]
)
def test_not_where_airflow_would_drop_something(dag, kwargs):
    assert operation_of(sensor(ID, **kwargs)) is None

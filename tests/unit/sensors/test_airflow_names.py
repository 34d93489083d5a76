"""Names that Airflow keeps private and the sensor needs: here is where a new Airflow that changed them is seen."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import BaseSensorOperator

from airflow_provider_comms.sensors.operation import CommsOperationSensor
from airflow_provider_comms.sensors.start_from_trigger import unsupported_reason
from airflow_provider_comms.sensors.start_time import started_at

ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def sensor(**kwargs):
    return CommsOperationSensor(**{"task_id": "wait", "resource": "emails", "operation_id": ID, **kwargs})


def test_airflows_loop_asks_for_the_pause_between_pokes():
    assert "self._get_next_poke_interval(" in inspect.getsource(BaseSensorOperator.execute)
    parameters = list(inspect.signature(BaseSensorOperator._get_next_poke_interval).parameters)
    assert parameters == ["self", "started_at", "run_duration", "poke_count"]


def test_without_a_wait_the_pause_is_airflows_own():
    assert sensor(poke_interval=7)._get_next_poke_interval(NOW, lambda: 0.0, 1) == 7


@pytest.mark.skipif(airflow_version < "3.3", reason="it needs Airflow 3.3 in any case")
@pytest.mark.parametrize("hook", ["pre_execute", "post_execute"])
def test_a_hook_around_execute_is_seen(hook):
    assert unsupported_reason(sensor(**{hook: print})) == f"Airflow would drop {hook}"
    assert unsupported_reason(sensor()) is None


@pytest.mark.parametrize("stored", [NOW, NOW.isoformat()])
def test_the_start_of_a_rescheduled_wait_is_airflows(stored):
    ti = SimpleNamespace(get_first_reschedule_date=lambda _: stored)

    assert started_at(sensor(mode="reschedule"), {"ti": ti}) == NOW.timestamp()


@pytest.mark.skipif(not airflow_version.startswith("2."), reason="Airflow 3 has a public way")
def test_airflow_2_says_when_a_rescheduled_wait_began():
    from airflow.sensors.base import _orig_start_date  # noqa: TID251

    parameters = list(inspect.signature(_orig_start_date).parameters)
    assert parameters[:5] == ["dag_id", "task_id", "run_id", "map_index", "try_number"]


def test_arguments_that_a_cluster_policy_changes_count():
    changed = sensor(timeout=timedelta(hours=1))
    changed.timeout, changed.poke_interval = 7, 3

    context = {"ti": None}
    assert (changed._wait(context).spec.timeout, changed._wait(context).spec.poke_interval) == (7, 3)

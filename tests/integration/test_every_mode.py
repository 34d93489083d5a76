"""A wait ends the same in every mode: state, exception and XCom."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

import pytest

from airflow_provider_comms.sensors.operation import CommsOperationSensor
from tests.waits import PASSWORD, WAYS

CONNECTION = "AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"
MODES = {
    "poke": {"mode": "poke", "deferrable": False},
    "reschedule": {"mode": "reschedule", "deferrable": False},
    "deferred": {"deferrable": True},
}


def to_end(airflow, build):
    run = airflow(build)
    if any("'datetime.datetime' and 'str'" in str(error) for error in run.errors):
        pytest.skip("`airflow dags test` of Airflow 3.0 breaks every sensor at its second reschedule")
    return run


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_wait_ends_the_same(airflow, comms_simulator, way, mode):
    operation_id = way.prepare(comms_simulator, lasts=0.4)
    retried = []

    def build():
        CommsOperationSensor(
            task_id="wait",
            resource="emails",
            operation_id=operation_id,
            poke_interval=0.2,
            retries=1,
            retry_delay=timedelta(seconds=1),
            on_retry_callback=retried.append,
            **MODES[mode],
            **way.sensor,
        )

    run = to_end(airflow, build)

    assert run.states == {"wait": way.state}
    assert not retried
    assert [type(error).__name__ for error in run.errors] == ([way.error] if way.error else [])
    for error in run.errors:
        assert all(part in str(error) for part in way.says), str(error)
        assert PASSWORD not in str(error)
        assert "jo@example.com" not in str(error)
    xcom = run.xcom("wait")
    assert (xcom and xcom["status"]) == way.status
    assert len(json.dumps(xcom)) < 2000


@contextmanager
def acting(*steps):
    """In a thread, do one thing after the other, each as soon as its condition holds."""

    def act():
        for condition, action in steps:
            while not condition():
                time.sleep(0.02)
            action()

    thread = Thread(target=act, daemon=True)
    thread.start()
    yield
    thread.join(10)
    assert not thread.is_alive()


def with_key(simulator):
    """The connection by another credential."""
    return json.dumps(json.loads(simulator.connection_json(api_key=True)) | {"extra": {"attempts": 1}})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rotated", [True, False], ids=["rotated", "as it was"])
def test_a_token_that_was_rotated_during_the_wait_is_read_again(airflow, comms_simulator, monkeypatch, mode, rotated):
    operation_id = comms_simulator.add_operation("emails", processing_for=3600)

    def build():
        CommsOperationSensor(
            task_id="wait", resource="emails", operation_id=operation_id, poke_interval=0.2, **MODES[mode]
        )

    def rotate():
        if rotated:
            monkeypatch.setenv(CONNECTION, with_key(comms_simulator))
        comms_simulator.revoke(comms_simulator.account_sid)
        comms_simulator.change_operation("emails", operation_id, processing_for=0)

    with acting((lambda: comms_simulator.requests, rotate)):
        run = to_end(airflow, build)

    assert run.states == {"wait": "success" if rotated else "failed"}


# A rescheduled poke reads the connection for the first time, each time: it fails as every task does, and is retried.
@pytest.mark.parametrize(("mode", "status"), [("poke", 401), ("poke", 403), ("deferred", 401)])
def test_credentials_that_are_rejected_while_the_connection_cannot_be_read_end_no_wait(
    airflow, comms_simulator, monkeypatch, mode, status
):
    operation_id = comms_simulator.add_operation("emails", processing_for=3600)
    account = comms_simulator.account_sid

    def build():
        CommsOperationSensor(
            task_id="wait", resource="emails", operation_id=operation_id, poke_interval=0.2, **MODES[mode]
        )

    def reject():
        monkeypatch.setenv(CONNECTION, "{")
        comms_simulator.revoke(account) if status == 401 else comms_simulator.permit(account, "emails", allowed=False)

    def replace():
        comms_simulator.change_operation("emails", operation_id, processing_for=0)
        monkeypatch.setenv(CONNECTION, with_key(comms_simulator))

    def is_rejected():
        return any(request.status == status for request in comms_simulator.requests)

    def is_read():  # In the triggerer, too.
        return len(comms_simulator.requests) > 1

    with acting((is_read, reject), (is_rejected, replace)):
        run = to_end(airflow, build)

    assert run.states == {"wait": "success"}


@pytest.mark.parametrize("mode", MODES)
def test_a_connection_that_is_missing_is_airflows_own_error(airflow, comms_simulator, mode):
    def build():
        CommsOperationSensor(
            task_id="wait",
            resource="emails",
            operation_id="comms_operation_01h9krwprkeee8fzqspvwy6nq8",
            comms_conn_id="nobody_made_it",
            **MODES[mode],
        )

    error = airflow(build).error
    assert type(error).__name__ == "AirflowNotFoundException"
    assert "airflow connections add nobody_made_it --conn-type twilio_comms" in str(error)

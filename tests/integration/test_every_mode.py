"""A wait ends the same in every mode: state, exception and XCom."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from airflow_provider_comms.sensors.operation import CommsOperationSensor
from tests.waits import PASSWORD, WAYS

MODES = {
    "poke": {"mode": "poke", "deferrable": False},
    "reschedule": {"mode": "reschedule", "deferrable": False},
    "deferred": {"deferrable": True},
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_wait_ends_the_same(airflow, comms_simulator, way, mode):
    operation_id = way.prepare(comms_simulator)
    retried = []

    def build():
        CommsOperationSensor(
            task_id="wait",
            resource="emails",
            operation_id=operation_id,
            poke_interval=0.5,
            retries=1,
            retry_delay=timedelta(seconds=1),
            on_retry_callback=retried.append,
            **MODES[mode],
            **way.sensor,
        )

    run = airflow(build)

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

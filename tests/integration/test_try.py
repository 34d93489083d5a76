import pytest
from airflow_provider_comms.sensors.operation import CommsOperationSensor

@pytest.mark.parametrize("mode", ["poke", "reschedule", "deferred"])
def test_x(airflow, comms_simulator, mode):
    oid = comms_simulator.add_operation("emails", processing_for=2)
    def build():
        CommsOperationSensor(task_id="wait", resource="emails", operation_id=oid, deferrable=mode=="deferred", mode="reschedule" if mode=="reschedule" else "poke", poke_interval=1)
    run = airflow(build)
    print(run, run.xcom("wait"))
    assert run.states == {"wait": "success"}

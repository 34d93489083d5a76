"""What the sensor does beyond how a wait ends."""

from __future__ import annotations

import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import task

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.sensors.operation import CommsOperationSensor
from airflow_provider_comms.waiting.spec import MIN_POKE_INTERVAL_VARIABLE

DONE = {"processing_for": 0}


def sensor(**kwargs):
    return CommsOperationSensor(**{"task_id": "wait", "resource": "emails", "deferrable": True, **kwargs})


def test_an_operation_that_has_ended_is_not_deferred(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("emails", **DONE)

    run = airflow(lambda: sensor(operation_id=operation_id))

    assert run.states == {"wait": "success"}
    assert len(comms_simulator.requests) == 1


def test_the_id_may_come_from_a_task_upstream(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("messages", **DONE)

    @task
    def send():
        return operation_id

    run = airflow(lambda: sensor(resource="messages", operation_id=send()))

    assert run.xcom("wait")["id"] == operation_id
    assert run.xcom("wait")["resource"] == "messages"


def test_the_id_may_be_a_template(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("emails", **DONE)

    run = airflow(lambda: sensor(operation_id="{{ dag_run.conf['id'] }}"), {"id": operation_id})

    assert run.xcom("wait")["id"] == operation_id


@pytest.mark.parametrize("deferrable", [True, False])
def test_several_ids_are_all_waited_for_and_come_back_in_their_order(airflow, comms_simulator, deferrable):
    ids = [comms_simulator.add_operation("emails", processing_for=seconds) for seconds in (1.0, 0, 0.5)]

    run = airflow(lambda: sensor(operation_id=ids, deferrable=deferrable, poke_interval=0.3))

    assert [xcom["id"] for xcom in run.xcom("wait")] == ids
    assert {xcom["status"] for xcom in run.xcom("wait")} == {"COMPLETED"}


def test_one_of_several_that_breaks_the_policy_fails_the_task_at_once(airflow, comms_simulator):
    ids = [
        comms_simulator.add_operation("emails", processing_for=600),
        comms_simulator.add_operation("emails", processing_for=0.5, ends_in="CANCELED"),
    ]

    run = airflow(lambda: sensor(operation_id=ids, on_canceled="fail", poke_interval=0.3))

    assert type(run.error).__name__ == "CommsOperationCanceled"
    assert ids[1] in str(run.error)


def test_mapped_tasks_wait_each_for_its_own(airflow, comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=seconds) for seconds in (0, 0.5)]

    @task
    def send():
        return ids

    run = airflow(
        lambda: CommsOperationSensor.partial(
            task_id="wait", resource="emails", deferrable=True, poke_interval=0.3
        ).expand(operation_id=send())
    )

    assert run.states["wait"] == ["success", "success"]
    assert run.map_labels["wait"] == ids


@pytest.mark.skipif(airflow_version.startswith("2."), reason="Airflow 2 asks for links when a page is shown")
@pytest.mark.parametrize(
    ("resource", "address"),
    [
        ("messages", "https://console.twilio.com/us1/monitor/logs/messaging"),
        ("emails", "https://www.twilio.com/docs/email/logs"),
    ],
)
def test_the_task_links_to_twilios_logs(airflow, comms_simulator, resource, address):
    operation_id = comms_simulator.add_operation(resource, **DONE)

    run = airflow(lambda: sensor(resource=resource, operation_id=operation_id))

    assert run.xcom("wait", "_link_TwilioConsoleLink") == address


def test_what_a_wait_returns_names_the_operation_for_the_next_task(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("emails", **DONE)

    def build():
        first = sensor(operation_id=operation_id)
        sensor(task_id="again", operation_id=first.output)

    assert airflow(build).xcom("again")["id"] == operation_id


def test_run_in_triggerer_waits_all_the_same_where_airflow_runs_the_task_itself(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("emails", processing_for=0.5)

    run = airflow(lambda: sensor(operation_id=operation_id, run_in_triggerer=True, poke_interval=0.3))

    assert run.xcom("wait")["status"] == "COMPLETED"


@pytest.mark.parametrize("deferrable", [True, False])
@pytest.mark.parametrize("form", ["answer", "answers", "operations", "template"])
def test_what_twilio_or_an_operator_answered_may_be_given_whole(airflow, comms_simulator, form, deferrable):
    one = comms_simulator.add_operation("emails", processing_for=0.3)
    answer = {"operationId": one, "operationLocation": f"{comms_simulator.url}/v1/Emails/Operations/{one}"}
    returned = {"answer": answer, "answers": [answer], "operations": {"operations": [one], "recipients": 5}}.get(form)

    @task
    def send():
        return returned

    def build():
        operation_id = "{{ dag_run.conf['ids'] | tojson }}" if form == "template" else send()
        sensor(operation_id=operation_id, deferrable=deferrable, poke_interval=0.2)

    xcom = airflow(build, {"ids": [one]}).xcom("wait")

    assert xcom["id"] == one if form == "answer" else [each["id"] for each in xcom] == [one]


@pytest.mark.parametrize("deferrable", [True, False])
def test_an_operation_of_the_other_resource_is_named_as_such(airflow, comms_simulator, deferrable):
    operation_id = comms_simulator.add_operation("messages", processing_for=600)

    run = airflow(lambda: sensor(operation_id=operation_id, deferrable=deferrable))

    assert type(run.error).__name__ == "CommsPermanentError"
    assert "set resource='messages'" in str(run.error)
    assert len(comms_simulator.requests) == 2


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_retry_after_of_one_operation_holds_up_no_other(airflow, comms_simulator, deferrable):
    ids = [comms_simulator.add_operation("emails", processing_for=seconds) for seconds in (0, 0.5)]
    comms_simulator.fault(503, operation_id=ids[0], times=1, retry_after=3)

    run = airflow(lambda: sensor(operation_id=ids, deferrable=deferrable, poke_interval=0.3, timeout=60))

    assert run.states == {"wait": "success"}
    asked = [request.path.rsplit("/", 1)[-1] for request in comms_simulator.requests]
    assert asked.count(ids[0]) == 2
    assert asked.index(ids[0], 1 + asked.index(ids[0])) == len(asked) - 1


@pytest.mark.parametrize("returned", [None, "", "../../Accounts", {"no": "id"}, []])
def test_an_upstream_task_that_returns_no_id_fails_the_task_with_the_value_in_its_message(
    airflow, comms_simulator, returned
):
    @task
    def send():
        return returned

    run = airflow(lambda: sensor(operation_id=send()))

    assert type(run.error).__name__ == "CommsPermanentError"
    assert "operation_id=" in str(run.error)
    assert not comms_simulator.requests


@pytest.mark.parametrize(
    ("kwargs", "names"),
    [
        ({"resource": "sms"}, "resource='sms'"),
        ({"resource": ""}, "resource=''"),
        ({"operation_id": ""}, "operation_id=''"),
        ({"operation_id": "a/b"}, "operation_id='a/b'"),
        ({"operation_id": ".."}, "operation_id='..'"),
        ({"operation_id": "a?b"}, "operation_id='a?b'"),
        ({"operation_id": None}, "operation_id=None"),
        ({"operation_id": []}, "operation_id=[]"),
        ({"operation_id": ["ok", "not ok"]}, "operation_id='not ok'"),
        ({"on_canceled": "ignore"}, "on_canceled='ignore'"),
        ({"fail_if": {"bounced": 1}}, "'bounced'"),
        ({"fail_if": {"read": 1}}, "'read'"),
        ({"fail_if": {"failed": "2"}}, "fail_if['failed']='2'"),
        ({"fail_if": {"failed": "200%"}}, "fail_if['failed']='200%'"),
        ({"fail_if": {"failed": -1}}, "fail_if['failed']=-1"),
        ({"fail_if": {"failed": 0.02}}, "fail_if['failed']=0.02"),
        ({"fail_if": {"failed": True}}, "fail_if['failed']=True"),
        ({"fail_if": ["failed"]}, "fail_if=['failed'] is a list, not a mapping"),
        ({"resource": "{{ params.resource }}", "fail_if": {"bounced": 1}}, "'bounced'"),
        ({"poke_interval": -1}, "poke_interval=-1"),
        ({"poke_interval": float("nan")}, "poke_interval=nan"),
        ({"timeout": -1}, "timeout=-1"),
        ({"grace": "long"}, "grace='long'"),
        ({"adaptive": "false"}, "adaptive='false'"),
        ({"deferrable": "false"}, "deferrable='false'"),
        ({"run_in_triggerer": "false"}, "run_in_triggerer='false'"),
        ({"deferrable": None}, "deferrable=None"),
    ],
)
def test_a_bad_argument_is_refused_when_the_dag_is_parsed(kwargs, names):
    with pytest.raises(CommsArgumentError) as refused:
        sensor(**{"operation_id": "comms_operation_01h9krwprkeee8fzqspvwy6nq8", **kwargs})

    assert names in str(refused.value)


def test_a_bad_connection_fails_the_task_once_and_names_the_field(airflow, comms_simulator, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", '{"conn_type": "twilio_comms", "extra": {"atempts": 3}}')

    run = airflow(lambda: sensor(operation_id="comms_operation_01h9krwprkeee8fzqspvwy6nq8", retries=3))

    assert type(run.error).__name__ == "CommsPermanentError"
    assert "'atempts'" in str(run.error)
    assert "attempts" in str(run.error)


def test_a_poke_interval_that_is_too_short_is_lengthened_and_the_log_says_so(
    airflow, comms_simulator, caplog, capsys, monkeypatch
):
    monkeypatch.delenv(MIN_POKE_INTERVAL_VARIABLE, raising=False)
    operation_id = comms_simulator.add_operation("emails", **DONE)

    airflow(lambda: sensor(operation_id=operation_id, poke_interval=0))

    assert "Polling every 1 s: a shorter poke_interval is not supported." in caplog.text + capsys.readouterr().out


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_poke_asks_once_and_the_log_tells_of_trouble_at_once(airflow, comms_simulator, caplog, capsys, deferrable):
    operation_id = comms_simulator.add_operation("emails", **DONE)
    comms_simulator.fault(503, times=1)

    run = airflow(lambda: sensor(operation_id=operation_id, deferrable=deferrable, poke_interval=0.2))

    assert run.states == {"wait": "success"}
    assert len(comms_simulator.requests) == 2
    assert "Could not read the operation's status; still waiting" in caplog.text + capsys.readouterr().out


@pytest.mark.parametrize("retries", [0, 1])
def test_a_deferrable_wait_without_retries_is_warned_of(airflow, comms_simulator, caplog, capsys, retries):
    operation_id = comms_simulator.add_operation("emails", processing_for=0.3)

    airflow(lambda: sensor(operation_id=operation_id, retries=retries, poke_interval=0.2, deferrable=True))

    is_warned = "retries=0: if a worker dies" in caplog.text + capsys.readouterr().out
    assert is_warned == (retries == 0)

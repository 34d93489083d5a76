"""What the operator hands on."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import task

from airflow_provider_comms.comms.errors import CommsArgumentError, CommsPermissionError, CommsServerError
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from airflow_provider_comms.tasks.fetch import fetch_all
from airflow_provider_comms.waiting.targets import Targets

DONE = {"processing_for": 0, "recipients": 200, "failed": 0.1, "opened": 0.5}


def export(**kwargs):
    return CommsExportStatsOperator(**{"task_id": "export", "resource": "emails", **kwargs})


def test_one_operation_comes_with_its_stats_and_with_rates_that_say_what_they_divide(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("emails", **DONE)

    xcom = airflow(lambda: export(operation_id=operation_id)).xcom("export")

    assert set(xcom) == {"id", "resource", "status", "created_at", "updated_at", "stats", "figures", "rates"}
    assert xcom["stats"]["failed"] == 20
    assert xcom["rates"]["failed_of_recipients"] == 0.1
    assert xcom["figures"]["not_reached"] == 20
    assert xcom["rates"]["opened_of_reached"] == 0.5


def test_a_task_downstream_can_take_just_the_stats(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("messages", processing_for=0, recipients=7)

    @task
    def take(stats):
        return stats["recipients"]

    run = airflow(lambda: take(export(resource="messages", operation_id=operation_id).output["stats"]))

    assert run.xcom("take") == 7


def test_several_operations_come_each_and_added_up(airflow, comms_simulator):
    ids = [comms_simulator.add_operation("emails", **DONE) for _ in range(3)]

    xcom = airflow(lambda: export(operation_id=ids)).xcom("export")

    assert [one["id"] for one in xcom["operations"]] == ids
    assert xcom["stats"]["recipients"] == 600
    assert xcom["rates"]["failed_of_recipients"] == 0.1


def test_it_does_not_wait(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("emails", processing_for=600)

    assert airflow(lambda: export(operation_id=operation_id)).xcom("export")["status"] == "PROCESSING"


def test_what_the_api_refuses_for_good_is_not_retried(airflow, comms_simulator):
    operation_id = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"

    run = airflow(lambda: export(operation_id=operation_id, retries=3))

    assert type(run.error).__name__ == "CommsPermanentError"
    assert "404" in str(run.error)
    # It is asked for once, and once as a message operation.
    assert len(comms_simulator.requests) == 2


def test_an_operation_of_the_other_resource_is_named_as_such(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("messages", **DONE)

    run = airflow(lambda: export(operation_id=operation_id))

    assert type(run.error).__name__ == "CommsPermanentError"
    assert "set resource='messages'" in str(run.error)


def test_an_id_that_was_given_twice_counts_once(airflow, comms_simulator):
    one, other = (comms_simulator.add_operation("emails", **DONE) for _ in range(2))

    xcom = airflow(lambda: export(operation_id=[one, other, one])).xcom("export")

    assert [each["id"] for each in xcom["operations"]] == [one, other, one]
    assert xcom["stats"]["recipients"] == xcom["figures"]["recipients"] == 400


def test_the_log_tells_each_in_a_sentence_and_all_of_them_in_one(airflow, comms_simulator, caplog, capsys):
    ids = [comms_simulator.add_operation("emails", processing_for=0, recipients=200, failed=0.1) for _ in range(2)]

    airflow(lambda: export(operation_id=ids))

    told = caplog.text + capsys.readouterr().out  # Airflow 2 logs by Python's logging, Airflow 3 by structlog.
    for one in ids:
        assert f"COMPLETED: 180 of 200 delivered (90.0 %), 20 failed (10.0 %) (emails {one})" in told
    assert "All 2 operations: 2 COMPLETED: 360 of 400 delivered (90.0 %), 40 failed (10.0 %) (emails " in told


@pytest.mark.parametrize("kwargs", [{"resource": "sms"}, {"operation_id": "a/b"}, {"operation_id": []}])
def test_a_bad_argument_is_refused_when_the_dag_is_parsed(kwargs):
    with pytest.raises(CommsArgumentError):
        export(**{"operation_id": "comms_operation_01h9krwprkeee8fzqspvwy6nq8", **kwargs})


def test_what_is_wrong_with_an_argument_at_run_time_or_with_the_connection_is_not_retried(
    airflow, comms_simulator, monkeypatch
):
    @task
    def send():
        return "../../Accounts"

    run = airflow(lambda: export(operation_id=send(), retries=3))
    assert type(run.error).__name__ == "CommsPermanentError"

    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", '{"conn_type": "twilio_comms", "extra": {"atempts": 3}}')
    run = airflow(lambda: export(operation_id="comms_operation_01h9krwprkeee8fzqspvwy6nq8", retries=3))
    assert type(run.error).__name__ == "CommsPermanentError"
    assert "'atempts'" in str(run.error)
    assert not comms_simulator.requests


@pytest.fixture
def make_hook(comms_simulator, monkeypatch):
    def make(**extra):
        connection = json.loads(comms_simulator.connection_json()) | {"extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", json.dumps(connection))
        return CommsHook()

    return make


@pytest.fixture
def hook(make_hook):
    return make_hook()


def test_many_operations_are_read_from_the_list_and_those_that_it_shows_late_by_id(hook, comms_simulator):
    ids = [comms_simulator.add_operation("emails", **DONE) for _ in range(300)]
    ids += [comms_simulator.add_operation("emails", **DONE, listed=False), ids[0]]

    operations = fetch_all(hook, Targets.of("emails", ids))

    assert [one.id for one in operations] == list(dict.fromkeys(ids))
    assert len(comms_simulator.requests) <= 4


def test_where_the_list_tells_of_few_or_nothing_each_is_asked_for(hook, comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(120)]
    comms_simulator.fault(403, route="list", times=1)

    assert [one.id for one in fetch_all(hook, Targets.of("emails", ids))] == ids


def test_one_that_is_refused_for_now_again_and_again_is_asked_for_again_and_the_others_are_kept(
    make_hook, comms_simulator
):
    ids = [comms_simulator.add_operation("emails", **DONE) for _ in range(3)]
    comms_simulator.fault(503, operation_id=ids[1], times=2)

    operations = fetch_all(make_hook(attempts=1), Targets.of("emails", ids))

    assert [one.id for one in operations] == ids
    assert sorted(one.operation_id for one in comms_simulator.requests) == sorted([*ids, ids[1], ids[1]])


def test_where_it_stays_so_the_task_fails_in_time_with_the_reason(make_hook, comms_simulator):
    ids = [comms_simulator.add_operation("emails", **DONE) for _ in range(3)]
    comms_simulator.fault(503, operation_id=ids[1], times=None)

    with pytest.raises(CommsServerError, match=ids[1]):
        fetch_all(make_hook(attempts=1, call_timeout=1), Targets.of("emails", ids))


def test_where_nothing_was_read_nothing_is_lost_and_airflows_retries_apply(make_hook, comms_simulator):
    ids = [comms_simulator.add_operation("emails", **DONE) for _ in range(3)]
    comms_simulator.fault(503, times=None)

    with pytest.raises(CommsServerError):
        fetch_all(make_hook(attempts=1), Targets.of("emails", ids))

    assert len(comms_simulator.requests) == 3


def test_a_retry_after_that_one_call_does_not_wait_for_is_waited_for(make_hook, comms_simulator):
    ids = [comms_simulator.add_operation("emails", **DONE) for _ in range(2)]
    comms_simulator.fault(503, operation_id=ids[1], times=2, retry_after=1)

    operations = fetch_all(make_hook(retry_after_cap=0.5), Targets.of("emails", ids))

    assert [one.id for one in operations] == ids
    _, second, third = (one.at for one in comms_simulator.requests if one.operation_id == ids[1])
    assert third - second >= 1


def test_what_is_wrong_for_good_ends_the_task_at_once(make_hook, comms_simulator):
    ids = [comms_simulator.add_operation("emails", **DONE) for _ in range(3)]
    comms_simulator.fault(503, operation_id=ids[0], times=None)
    comms_simulator.fault(403, operation_id=ids[1], times=1)

    with pytest.raises(CommsPermissionError):
        fetch_all(make_hook(attempts=1), Targets.of("emails", ids))

    assert len(comms_simulator.requests) == 3

"""The Test button's other ways: Airflow's REST API, at once and (from 3.3 on) on a worker."""

from __future__ import annotations

from time import monotonic

import pytest
from airflow import __version__ as airflow_version
from packaging.version import Version

from local_airflow.waiting import wait_for

CONNECTIONS = "/api/v2/connections"
GOOD = "can read e-mail and message operations at"
has_worker_tests = pytest.mark.skipif(Version(airflow_version) < Version("3.3"), reason="new in Airflow 3.3")


def body(simulator, conn_id, **fields):
    return {
        "connection_id": conn_id,
        "conn_type": "twilio_comms",
        "host": simulator.url,
        "login": simulator.account_sid,
        "password": simulator.auth_token,
        **fields,
    }


def ask(airflow, simulator, **fields):
    answer = airflow.api._http.post(f"{CONNECTIONS}/test", json=body(simulator, "over_rest", **fields))
    return answer.raise_for_status().json()


@pytest.fixture(scope="module")
def scheduler(airflow):
    """With the scheduler comes the executor, and with that its workers."""
    airflow.start_component("scheduler")
    yield
    airflow.stop_component("scheduler")


def on_worker(airflow, simulator, conn_id, **fields):
    http = airflow.api._http
    enqueued = http.post(f"{CONNECTIONS}/enqueue-test", json=body(simulator, conn_id, **fields)).raise_for_status()
    headers = {"Airflow-Connection-Test-Token": enqueued.json()["token"]}
    seen = {}

    def is_over():
        nonlocal seen
        seen = http.get(f"{CONNECTIONS}/enqueue-test", headers=headers).raise_for_status().json()
        return seen["state"] in ("success", "failed")

    wait_for(is_over, what="the worker's test", seconds=90)
    return seen


def test_a_good_connection(airflow, simulator):
    said = ask(airflow, simulator)
    assert said["status"] is True
    assert GOOD in said["message"]


@pytest.mark.parametrize("kind", ["hang", "drip_body"])
def test_it_takes_less_than_ten_seconds_whatever_happens(airflow, simulator, kind):
    simulator.fault(kind, **({"interval": 1} if kind == "drip_body" else {}))
    started = monotonic()

    said = ask(airflow, simulator)

    assert monotonic() - started < 10
    assert said["status"] is False
    assert "no complete response from" in said["message"].lower()
    assert simulator.request_counts()["total"] == 2


def test_an_unknown_extra_is_named_with_the_known_ones(airflow, simulator):
    said = ask(airflow, simulator, extra='{"atempts": 3}')
    assert said["status"] is False
    assert "'atempts' (did you mean 'attempts'?)" in said["message"]
    assert "Known fields are proxy" in said["message"]


@has_worker_tests
def test_a_worker_says_the_same(airflow, simulator, scheduler):
    seen = on_worker(airflow, simulator, "on_worker")
    assert (seen["state"], GOOD in seen["result_message"]) == ("success", True)


@has_worker_tests
def test_a_worker_says_what_is_wrong(airflow, simulator, scheduler):
    seen = on_worker(airflow, simulator, "wrong_on_worker", password="not-the-token")
    assert seen["state"] == "failed"
    assert "not accepted" in seen["result_message"]
    assert "not-the-token" not in seen["result_message"]

"""Nothing that a send leaves in Airflow names a recipient: canaries are searched for in every table and line."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing

import pytest
from airflow.providers.common.compat.sdk import task

from airflow_provider_comms.operators.send import CommsSendEmailsOperator, CommsSendMessagesOperator
from tests.integration.conftest import AIRFLOW

PEOPLE = [{"address": f"canarybird{n}@example.com", "greeting": "Dear Canary Kim"} for n in range(3)]
CANARIES = ("canarybird", "Canary Kim", "Secret offer")
SENDER = {"address": "news@example.com", "name": "News"}
CONTENT = {"from_": SENDER, "subject": "Secret offer {{ greeting }}", "html": "<p>Secret offer</p>", "confirm_for": 0}


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.jsonl"
    path.write_text("\n".join(map(json.dumps, PEOPLE)))
    return str(path)


def tables():
    """Return each table's rows as text."""
    with closing(sqlite3.connect(f"file:{os.environ['AIRFLOW_HOME']}/airflow.db?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: repr(database.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names}


def found_in(texts):
    return {(name, canary) for name, text in texts.items() for canary in CANARIES if canary in text}


def send(people, **kwargs):
    return CommsSendEmailsOperator(**{"task_id": "send", "to": people, **CONTENT, **kwargs})


QUOTES = {
    "errors": [{"code": 21614, "message": "canarybird1@example.com", "infoUrl": "", "context": "$.to[1].address"}]
}
WAYS = {
    "waited for": ({"wait_for_completion": True, "deferrable": True, "poke_interval": 0.2}, None),
    "refused by the API": ({}, ("raw", {"status": 400, "body": json.dumps({"errors": [QUOTES]})})),
    "refused in another form": ({}, ("raw", {"status": 413, "body": "<html>canarybird1@example.com</html>"})),
    "unknown": ({}, ("raw", {"status": 502, "body": "canarybird1@example.com: Dear Canary Kim"})),
    "too many": ({"max_recipients": 1}, None),
    "not allowed": ({"allow_recipients": ["canarybird0@example.com"]}, None),
    "a dry run": ({"dry_run": True}, None),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_send_from_a_file(airflow, comms_simulator, people, capfd, way):
    arguments, fault = WAYS[way]
    comms_simulator.change_settings(send_plan={"processing_for": 0.3})
    if fault:
        comms_simulator.fault(fault[0], route="send", **fault[1])

    run = airflow(lambda: send(people, **arguments))

    assert run.states["send"] in {"success", "failed", "skipped"}
    # Airflow 3.0 prints the local variables of what failed to the terminal, here and in `airflow dags test` only.
    lines = "".join(capfd.readouterr()) if AIRFLOW.release[:2] != (3, 0) else ""
    errors = "".join(f"{error} {error!r}" for error in run.errors)
    assert found_in({"output": lines, "errors": errors, **tables()}) == set()


def test_what_comes_from_upstream_is_in_its_xcom_alone(airflow, comms_simulator):
    @task
    def query():
        return [{"address": f"upstreamcanary{n}@example.com"} for n in range(3)]

    @task
    def phones():
        return [{"address": "+14155550100", "name": "upstreamcanary"}]

    def dag():
        CommsSendEmailsOperator(task_id="send", to=query(), **CONTENT)
        CommsSendMessagesOperator.partial(task_id="each", text="Hi").expand(to=phones())

    run = airflow(dag)

    assert run.states["send"] == "success"
    assert run.states["each"] == ["success"]
    assert {name for name, text in tables().items() if "upstreamcanary" in text} == {"xcom"}


def test_what_tasks_that_are_mapped_share_is_not_stored_with_the_dag(airflow, comms_simulator, capfd):
    def dag():
        common = {**CONTENT, "to": PEOPLE, "variables": {"boss": "Canary Kim", "day": "{{ ds }}"}}
        common["allow_recipients"] = ["canarybird*"]
        del common["subject"]
        CommsSendEmailsOperator.partial(task_id="send", **common).expand(subject=["a", "b"])

    run = airflow(dag)

    assert run.states == {"send": ["success", "success"]}
    assert {one.body["to"][0]["address"] for one in comms_simulator.sends} == {"canarybird0@example.com"}
    variables = comms_simulator.sends[0].body["to"][0]["variables"]
    assert variables["boss"] == "Canary Kim"
    assert variables["day"].startswith("20")
    stored = {name: text for name, text in tables().items() if name != "dag_code"}
    assert not found_in({**stored, "log": "".join(capfd.readouterr())})

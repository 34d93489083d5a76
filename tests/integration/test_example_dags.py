"""Each example parses with no connection and no network, and runs to success."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.conftest import run_to_end

EXAMPLES = sorted((Path(__file__).parents[2] / "example_dags").glob("*.py"))

PARSE = """
import json, runpy, socket, sys, traceback
def refused(*args, **kwargs):
    raise AssertionError("the network was used")
socket.socket.connect = socket.create_connection = refused
for example in sys.argv[1:]:
    before = set(sys.modules)
    try:
        runpy.run_path(example)
        wrong = ""
    except Exception:
        wrong = traceback.format_exc()
    heavy = {f"airflow_provider_comms.{name}" for name in ("comms.client", "comms.models", "waiting.wait")}
    print("PARSED", json.dumps([example, wrong, sorted(heavy & (set(sys.modules) - before))]))
"""


@pytest.fixture(scope="module")
def parsed():
    """By example, what goes wrong when it is parsed, and what is loaded that should not be."""
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:airflow_provider_comms", "-c", PARSE, *map(str, EXAMPLES)],
        check=True,
        capture_output=True,
        text=True,
    )
    # Airflow 3.0 logs to the same output.
    lines = [line.removeprefix("PARSED ") for line in done.stdout.splitlines() if line.startswith("PARSED ")]
    return {example: (wrong, heavy) for example, wrong, heavy in map(json.loads, lines)}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_parses_with_no_connection_no_network_and_no_client(parsed, example):
    assert parsed[str(example)] == ("", [])


def load(name):
    path = next(path for path in EXAMPLES if path.stem == name)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for each in module.dag.tasks:
        hasten(each)
    return module.dag


def hasten(task):
    """Let a sensor poll often, as a cluster policy might."""
    arguments = getattr(task, "partial_kwargs", None) or vars(task)
    if "poke_interval" in arguments:
        arguments["poke_interval"] = 0.2


@pytest.mark.parametrize("resource", ["emails", "messages"])
def test_wait_and_report(airflow, comms_simulator, resource):
    operation_id = comms_simulator.add_operation(resource, processing_for=0.5, recipients=40)

    run = run_to_end(load("comms_wait_and_report"), {"resource": resource, "operation_id": operation_id})

    assert run.state == "success"
    assert run.xcom("wait")["status"] == "COMPLETED"
    assert run.xcom("use_stats") == "40 of 40 reached (100.0 %)"


def test_mapped_operations(airflow, comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=0.5, recipients=10) for _ in range(3)]

    run = run_to_end(load("comms_mapped_operations"), {"operation_ids": ids})

    assert run.state == "success"
    assert run.states["wait"] == ["success"] * 3
    assert run.xcom("use_stats") == 30


def test_daily_report(airflow, comms_simulator, mailbox, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", mailbox.connection)
    comms_simulator.add_operation("emails", processing_for=0, recipients=5, age=3600)

    run = run_to_end(load("comms_daily_report"), {"output": str(tmp_path), "mail_to": "team@example.org"})

    assert run.state == "success"
    (mail,) = mailbox.to("team@example.org")
    first, *_ = run.xcom("report")["summary"]["text"].splitlines()
    assert mail["Subject"] == first
    assert first in mail.get_body().get_content()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".gz", ".html"]


def test_report_history(airflow, comms_simulator, tmp_path):
    midnight = comms_simulator.now.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (1, 2):
        at = midnight - timedelta(days=day) + timedelta(hours=3)
        comms_simulator.add_operation("emails", created_at=at, processing_for=0, recipients=100, failed=0.1)

    run = run_to_end(load("comms_report_history"), {"output": str(tmp_path)})

    assert run.states == {"history": "failed", "alert": "success"}
    assert run.xcom("alert") == "emails: reached = 180 (90.0 %), below the limit of 95 %"
    assert len(list(tmp_path.glob("emails/date=*/operations.jsonl"))) == 6


def test_report_history_asks_for_no_window_where_a_run_has_no_data_interval(airflow):
    history = load("comms_report_history").get_task("history")

    templates = history.window_start, history.window_end
    assert [history.render_template(one, {}) for one in templates] == ["", ""]


def test_delivery_deadline(airflow, comms_simulator):
    operation_id = comms_simulator.add_operation("emails", processing_for=1)

    dag = load("comms_delivery_deadline")
    dag.deadline = None  # `airflow dags test` cannot take one; the system tests run it with it.
    run = run_to_end(dag, {"operation_id": operation_id})

    assert run.states == {"wait": "success"}


def test_final_report(airflow, comms_simulator):
    run = run_to_end(load("comms_final_report"))

    assert run.states == {"report": "success"}
    assert run.xcom("report")["complete"] is True


def test_newsletter(airflow, comms_simulator, tmp_path):
    comms_simulator.change_settings(send_plan={"processing_for": 0.5})

    run = run_to_end(load("comms_newsletter"), {"folder": str(tmp_path), "dry_run": False})

    assert run.state == "success"
    assert run.xcom("report") == "25 of 25 reached (100.0 %)"
    assert comms_simulator.sends[0].body["to"][3]["variables"]["first_name"] == "Kim 3"


def test_newsletter_as_a_dry_run(airflow, comms_simulator, tmp_path):
    run = run_to_end(load("comms_newsletter"), {"folder": str(tmp_path), "dry_run": True})

    assert run.states == {"export": "success", "send": "skipped", "wait": "skipped", "report": "skipped"}
    assert comms_simulator.sends == ()


def test_order_messages(airflow, comms_simulator):
    comms_simulator.change_settings(send_plan={"processing_for": 0.5})

    run = run_to_end(load("comms_order_messages"))

    assert run.states["send"] == ["success"] * 2
    assert sorted(one.recipients for one in comms_simulator.sends) == [("+14155550100",), ("+14155550101",)]


def test_alert_by_email(airflow, comms_simulator):
    assert run_to_end(load("comms_alert_by_email")).state == "failed"

    (sent,) = comms_simulator.sends
    assert sent.recipients == ("data-team@example.com", "on-call@example.com")
    assert sent.body["content"]["subject"] == "comms_alert_by_email.load has failed"


def test_every_example_is_covered_here():
    here = Path(__file__).read_text()
    assert [path.stem for path in EXAMPLES if json.dumps(path.stem) not in here] == []

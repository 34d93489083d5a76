"""Metrics as StatsD receives them: what is counted, by which tags, and that no id is among them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from airflow_provider_comms.comms.settings import RetryPolicy
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.sensors.operation import CommsOperationSensor
from tests.integration.test_every_mode import MODES

LINE = re.compile(r"airflow\.(?P<name>[\w.]+)(?P<tags>(,\w+=\w+)*):(?P<value>[\d.]+)\|(?P<kind>c|ms)")


def counts(lines):
    """Add up counters by name and tags."""
    found = Counter()
    for line in lines:
        read = LINE.fullmatch(line)
        assert read, line
        if read["kind"] == "c":
            found[read["name"] + read["tags"]] += int(read["value"])
    return found


def times(lines):
    """Return the seconds of each timing by name."""
    return {read["name"]: float(read["value"]) / 1000 for read in map(LINE.fullmatch, lines) if read["kind"] == "ms"}


@pytest.mark.parametrize("mode", MODES)
def test_a_wait_is_counted_once_in_every_mode(airflow, comms_simulator, metrics, mode):
    operation_id = comms_simulator.add_operation("emails", processing_for=0)
    comms_simulator.fault(503, times=1)  # So that the first poll is not the last.

    def build():
        CommsOperationSensor(
            task_id="wait", resource="emails", operation_id=operation_id, poke_interval=0.3, **MODES[mode]
        )

    airflow(build)
    lines = metrics()

    found = counts(lines)
    assert found["comms.wait.ended,resource=emails,outcome=finished"] == 1
    assert found["comms.request,resource=emails,method=GET,status=503"] == 1
    assert found["comms.request,resource=emails,method=GET,status=200"] == 1
    assert ("comms.poll.duration" in times(lines)) is (mode == "deferred")
    assert 0.1 < times(lines)["comms.wait.duration"] < 60
    assert "comms_operation" not in "".join(lines)


@pytest.mark.parametrize(
    ("sensor", "outcome"),
    [({"on_canceled": "skip"}, "skipped"), ({"on_canceled": "fail"}, "canceled"), ({}, "finished")],
)
def test_each_outcome_is_counted_apart(airflow, comms_simulator, metrics, sensor, outcome):
    operation_id = comms_simulator.add_operation("messages", processing_for=0, ends_in="CANCELED")

    airflow(lambda: CommsOperationSensor(task_id="wait", resource="messages", operation_id=operation_id, **sensor))

    assert counts(metrics())[f"comms.wait.ended,resource=messages,outcome={outcome}"] == 1


def test_requests_are_counted_by_what_came_of_them(airflow_home, comms_simulator, monkeypatch, metrics):
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", comms_simulator.connection_json())
    operation_id = comms_simulator.add_operation("emails")
    for fault in (429, 503, "reset"):
        comms_simulator.fault(fault, times=1)

    client = CommsHook().get_conn().with_options(retry=RetryPolicy(backoff_base=0.01))
    client.get_operation("emails", operation_id)
    lines = metrics()

    tags = "resource=emails,method=GET"
    requests = {f"comms.request,{tags},status={status}": 1 for status in (429, 503, "disconnected", 200)}
    assert counts(lines) == requests | {f"comms.request.throttled,{tags}": 1, f"comms.request.retried,{tags}": 3}
    assert "comms.request.duration" in times(lines)


def test_metrics_that_cannot_be_sent_fail_nothing(airflow_home, metrics):
    class Broken(str):
        """A tag that no backend can write."""

        __slots__ = ()

        def __format__(self, spec):
            raise RuntimeError("no")

        __str__ = __format__

    from airflow_provider_comms.comms.observer import Exchange
    from airflow_provider_comms.metrics import count_request

    count_request(Exchange(Broken("emails"), "GET", "200", 2, 0.1))

    assert metrics() == []

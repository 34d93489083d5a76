"""What the trigger does beyond how a wait ends: troubles of others, what its event says, its log."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time

import pytest
from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_comms import __version__
from airflow_provider_comms.triggers.operation import CommsOperationTrigger

CONN = "AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"


@pytest.fixture
def simulator(comms_simulator, monkeypatch):
    monkeypatch.setenv(CONN, comms_simulator.connection_json())
    return comms_simulator


def trigger(operation_id, **kwargs):
    return CommsOperationTrigger(**{"resource": "emails", "operation_id": operation_id, "poke_interval": 0.2, **kwargs})


def event_of(waiting):
    async def first():
        return (await anext(waiting.run())).payload

    return asyncio.run(first())


@pytest.mark.parametrize(
    ("template", "is_list"), [('["{}"]', True), ('"{}"', False), ('{{"id": "{}"}}', False), ("{}", False)]
)
def test_the_event_says_whether_a_list_was_asked_for(simulator, template, is_list):
    operation_id = simulator.add_operation("emails", processing_for=0, ends_in="CANCELED")

    event = event_of(trigger(template.format(operation_id)))

    assert (event["verdict"], event["is_list"]) == ("finished", is_list)
    assert "CANCELED" in event["message"]


@pytest.mark.parametrize("wrong", [None, "x", "3", [1], {"a": "b"}, True, 10**400, math.nan, math.inf])
@pytest.mark.parametrize("name", ["started_at", "next_poll_at", "next_look_at", "polls", "retry_at"])
def test_what_is_of_another_type_in_a_row_counts_as_missing(simulator, name, wrong):
    operation_id = simulator.add_operation("emails", processing_for=0)

    assert event_of(trigger(operation_id, **{name: wrong}))["verdict"] == "finished"


def test_polls_of_the_worker_are_counted_too(simulator):
    operation_id = simulator.add_operation("emails", processing_for=600)

    event = event_of(trigger(operation_id, polls=3, timeout=0))

    assert (event["verdict"], event["reason"]) == ("failed", "timeout")
    assert "polled 4 times; the operation has not finished" in event["message"]


def test_an_id_of_the_other_resource_is_named_as_such_after_one_request_more(simulator):
    operation_id = simulator.add_operation("messages", processing_for=600)

    event = event_of(trigger(operation_id))

    assert event["message"] == f"Operation {operation_id} is of resource 'messages': set resource='messages'."
    assert [request.path.split("/")[2] for request in simulator.requests] == ["Emails", "Messages"]


def test_a_secrets_backend_that_does_not_answer_is_a_missing_connection_for_now(simulator, monkeypatch):
    def slow(*_, **__):
        raise TimeoutError("vault")

    for name in ("get_connection", "aget_connection"):
        monkeypatch.setattr(BaseHook, name, slow, raising=False)

    event = event_of(trigger("comms_operation_01h9krwprkeee8fzqspvwy6nq8"))

    assert (event["verdict"], event["reason"]) == ("failed", "no connection")
    assert "TimeoutError: vault" in event["message"]


def test_a_secrets_backend_that_fails_while_a_token_is_read_again_ends_no_wait_unread(simulator, monkeypatch):
    operation_id = simulator.add_operation("emails", processing_for=600)
    read = BaseHook.get_connection

    def slow_after_the_first(conn_id, *args):
        if simulator.requests:
            raise TimeoutError("vault")
        return read(conn_id)

    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(slow_after_the_first))
    monkeypatch.delattr(BaseHook, "aget_connection", raising=False)
    simulator.fault(401, skip=1)

    event = event_of(trigger(operation_id, timeout=3))

    assert event["verdict"] == "failed"
    assert event["reason"] in ("refused", "timeout")


def test_lines_are_written_before_a_cancelled_trigger_is_gone(simulator, caplog):
    operation_id = simulator.add_operation("emails", processing_for=600)
    caplog.set_level(logging.INFO)

    is_written = threading.Event()
    lines = []

    class Slow(logging.Handler):
        def emit(self, record):
            if record.getMessage().startswith("PROCESSING"):
                is_written.set()
            time.sleep(0.3)
            lines.append(record.getMessage())

    async def cancelled():
        waiting = trigger(operation_id)
        waiting._log = logging.getLogger("the trigger's own")
        waiting._log.addHandler(Slow())
        task = asyncio.create_task(anext(waiting.run()))
        await asyncio.to_thread(is_written.wait, 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())

    assert [line for line in lines if line.startswith("PROCESSING")]


@pytest.mark.parametrize(
    ("began_ago", "line"), [(0, "Waiting in the triggerer on"), (75, "Taken over 75 s after the wait began")]
)
def test_the_log_says_who_waits_with_which_version_and_whether_it_took_over(simulator, caplog, began_ago, line):
    caplog.set_level(logging.INFO)
    operation_id = simulator.add_operation("emails", processing_for=0)
    waiting = trigger(operation_id, started_at=time.time() - began_ago)
    waiting._log = logging.getLogger("the trigger's own")

    event_of(waiting)

    (first, *_) = [record.getMessage() for record in caplog.records if record.name == "the trigger's own"]
    assert first.startswith(line)
    assert f"airflow-provider-comms {__version__} (emails {operation_id})" in first

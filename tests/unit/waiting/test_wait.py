"""A wait, look after look, with a clock of the test's own."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_comms.comms.errors import (
    CommsNotFoundError,
    CommsProtocolError,
    CommsRateLimitError,
    CommsServerError,
    ErrorContext,
)
from airflow_provider_comms.comms.models import EmailOperation
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.waiting.clock import SteadyClock
from airflow_provider_comms.waiting.outcome import Failed, Finished, Policy, Skipped, Waiting
from airflow_provider_comms.waiting.wait import Wait

START = 1_800_000_000.0


def wait(*ids, **kwargs):
    return Wait(
        **{
            "resource": Resource.EMAILS,
            "operation_ids": ids or ("a",),
            "policy": Policy(),
            "poke_interval": 60,
            "started_at": START,
            "timeout": 3600,
            "grace": 30,
            "log": logging.getLogger("wait"),
            "now": lambda: START,
            **kwargs,
        }
    )


def operation(name="a", status="PROCESSING", **stats):
    return EmailOperation(id=name, status=status, stats=stats, created_at=START - 86_400, updated_at=START)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="wait")
    return caplog


def test_one_line_a_change_and_none_a_look(lines):
    waiting = wait()
    for second, sent in enumerate((0, 0, 1, 1, 1, 2)):
        waiting.look({"a": operation(sent=sent)}, START + second)

    assert len(lines.records) == 3


def test_a_heartbeat_every_five_minutes_while_nothing_changes(lines):
    waiting = wait()
    for minute in range(31):
        waiting.look({"a": operation()}, START + 60 * minute)

    assert [record.message for record in lines.records if "Still waiting" in record.message] == [
        record.message for record in lines.records[1:]
    ]
    assert len(lines.records) == 1 + 6


def test_trouble_and_its_end_are_one_line_each(lines):
    waiting = wait()
    for second in range(5):
        assert waiting.look({"a": CommsServerError("503")}, START + second) == Waiting()
    waiting.look({"a": operation()}, START + 5)

    assert [record.levelname for record in lines.records] == ["WARNING", "INFO", "INFO"]


def test_a_status_that_nobody_knows_is_warned_of_once(lines):
    waiting = wait()
    for second in range(3):
        assert waiting.look({"a": operation(status="PAUSED")}, START + second) == Waiting()

    assert [record.levelname for record in lines.records] == ["INFO", "WARNING"]


def test_the_wish_of_the_api_outweighs_the_interval_until_it_answers():
    waiting = wait()
    waiting.look({"a": CommsRateLimitError("429", ErrorContext(retry_after=600))}, START)
    assert waiting.delay(START) == 600
    waiting.look({"a": operation()}, START + 600)
    assert waiting.delay(START + 600) == 60


def test_the_last_look_is_at_the_deadline():
    waiting = wait(timeout=100)
    waiting.look({"a": operation()}, START + 60)
    assert waiting.delay(START + 60) == 40
    assert waiting.look({"a": operation(status="COMPLETED")}, START + 100) == Finished()


def test_past_the_deadline_the_message_tells_status_counters_looks_and_trouble():
    waiting = wait(timeout=100)
    waiting.look({"a": operation(recipients=7, sent=3)}, START)
    verdict = waiting.look({"a": CommsServerError("503 from GET")}, START + 100)

    assert verdict.reason == "timeout"
    for part in ("Waited 100 s", "looked 2 times", "PROCESSING", "recipients=7 sent=3", "503 from GET"):
        assert part in verdict.message


def test_a_404_is_waited_out_while_the_id_is_fresh_and_no_longer():
    assert wait().look({"a": CommsNotFoundError("404")}, START + 29) == Waiting()
    assert isinstance(wait().look({"a": CommsNotFoundError("404")}, START + 31), Failed)


def test_a_404_of_what_was_seen_before_names_age_and_retention():
    waiting = wait(timeout=10 * 86_400)
    waiting.look({"a": operation()}, START)
    verdict = waiting.look({"a": CommsNotFoundError("404")}, START + 6.5 * 86_400)

    assert "created 7.5 days ago" in verdict.message
    assert "deletes the record after 7 days" in verdict.message


def test_what_is_not_the_api_fails_at_the_start_and_is_waited_out_later():
    assert isinstance(wait().look({"a": CommsProtocolError("HTML")}, START), Failed)
    assert wait().look({"a": CommsProtocolError("HTML")}, START + 31) == Waiting()


def test_all_must_end_and_a_failure_counts_at_once():
    assert wait("a", "b").look({"a": operation(status="COMPLETED"), "b": operation("b")}, START) == Waiting()
    failing = wait("a", "b", policy=Policy("fail"))
    assert isinstance(failing.look({"a": operation(status="CANCELED"), "b": operation("b")}, START), Failed)


def test_a_skip_counts_when_all_have_ended():
    waiting = wait("a", "b", policy=Policy("skip"))
    assert waiting.look({"a": operation(status="CANCELED"), "b": operation("b")}, START) == Waiting()
    assert waiting.pending == ["b"]
    assert isinstance(waiting.look({"b": operation("b", "COMPLETED")}, START), Skipped)


def test_the_event_holds_the_operations_in_the_order_of_the_ids():
    waiting = wait("b", "a", "b")
    verdict = waiting.look({"a": operation(status="COMPLETED"), "b": operation("b", "COMPLETED")}, START)

    assert [one["id"] for one in waiting.event(verdict)["operations"]] == ["b", "a", "b"]


def test_a_start_that_a_clock_ahead_of_ours_wrote_down_is_now():
    assert wait(started_at=START + 3600).remaining(START) == 3600


@pytest.mark.parametrize(("ahead", "delay"), [(-5, 0), (0, 0), (30, 30), (3600, 240)])
def test_a_look_that_another_machine_planned_is_no_later_than_any_pace_would_have_it(ahead, delay):
    assert wait().delay_until(START + ahead, START) == delay


def test_setting_the_machines_clock_does_not_make_a_waits_clock_jump():
    wall, steady = [START], [50.0]
    clock = SteadyClock(lambda: wall[0], lambda: steady[0])
    wall[0], steady[0] = START + 3600, 53.0

    assert clock() == START + 3

"""A wait, poll after poll, with a clock of the test's own."""

from __future__ import annotations

import logging
import math

import pytest

from airflow_provider_comms.comms.errors import (
    CommsNotFoundError,
    CommsProtocolError,
    CommsRateLimitError,
    CommsRecordError,
    CommsServerError,
    CommsTimeoutError,
    ErrorContext,
)
from airflow_provider_comms.comms.models import EmailOperation, MessageOperation
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.waiting.clock import SteadyClock
from airflow_provider_comms.waiting.spec import OPTIONS, WaitSpec
from airflow_provider_comms.waiting.targets import Targets
from airflow_provider_comms.waiting.verdict import Failed, Finished, Skipped, Waiting
from airflow_provider_comms.waiting.wait import Wait

START = 1_800_000_000.0


def wait(*ids, **kwargs):
    options = {name: kwargs.pop(name) for name in OPTIONS if name in kwargs}
    return Wait(
        **{
            "targets": Targets(Resource.EMAILS, ids or ("a",), is_list=bool(ids)),
            "spec": WaitSpec(**{"poke_interval": 60, "timeout": 3600, "grace": 30, **options}),
            "started_at": START,
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


def messages(lines):
    return [record.getMessage() for record in lines.records]


def levels(lines):
    return [record.levelname for record in lines.records]


def test_a_line_tells_the_news_first_and_the_id_last(lines):
    wait().update({"a": operation(recipients=1200, delivered=472, sent=136, failed=4, queued=588)}, START + 9)

    assert messages(lines) == [
        "PROCESSING 51 %: 472 of 1,200 delivered, 4 failed (0.3 %), 588 queued, after 9 s (emails a)"
    ]


def test_a_line_for_each_tenth_of_the_way_and_none_for_a_poll(lines):
    waiting = wait()
    for sent in range(1000):
        waiting.update({"a": operation(recipients=1000, queued=1000 - sent, delivered=sent)}, START + sent / 10)

    assert len(lines.records) == 10


def test_counters_that_go_back_and_forth_are_no_news(lines):
    waiting = wait()
    for queued in (550, 449, 550, 449, 550):
        waiting.update({"a": operation(recipients=1000, queued=queued)}, START)

    assert len(lines.records) == 2


def test_a_new_status_is_a_line(lines):
    waiting = wait()
    for status in ("SCHEDULED", "SCHEDULED", "PROCESSING"):
        waiting.update({"a": operation(status=status)}, START)

    assert messages(lines) == [
        "SCHEDULED: no recipients, after 0 s (emails a)",
        "PROCESSING: no recipients, after 0 s (emails a)",
    ]


def test_a_line_every_five_minutes_while_nothing_changes(lines):
    waiting = wait()
    for minute in range(31):
        waiting.update({"a": operation()}, START + 60 * minute)

    assert len(lines.records) == 1 + 6


def test_many_operations_have_a_line_for_each_tenth_that_has_ended(lines):
    ids = [f"id{number}" for number in range(100)]
    waiting = wait(*ids)
    waiting.update({one: operation(one, recipients=10, queued=10) for one in ids}, START)
    for number, one in enumerate(ids):
        waiting.update({one: operation(one, "COMPLETED", recipients=10, delivered=10)}, START + number)

    assert len(lines.records) == 10
    assert messages(lines)[5] == (
        "50 of 100 operations ended: 500 of 1,000 delivered, 500 queued, after 49 s (emails id0 and 99 more)"
    )


def test_trouble_and_its_end_are_one_line_each(lines):
    waiting = wait()
    for second in range(5):
        assert waiting.update({"a": CommsServerError("503")}, START + second) == Waiting()
    waiting.update({"a": operation()}, START + 5)

    assert levels(lines) == ["WARNING", "INFO", "INFO"]
    assert messages(lines)[0].startswith("Could not read the operation's status; still waiting: 503")


def test_the_trouble_of_one_is_told_once_whatever_its_neighbours_do(lines):
    waiting = wait("a", "b")
    for second in range(200):
        waiting.update({"a": operation(queued=second), "b": CommsServerError("503")}, START + second)
        waiting.update({"b": CommsServerError("503"), "a": operation(queued=second)}, START + second)

    assert levels(lines) == ["WARNING", "INFO"]


def test_trouble_that_comes_and_goes_is_told_once_in_five_minutes(lines):
    waiting = wait()
    for second in range(200):
        waiting.update({"a": operation() if second % 2 else CommsServerError("503")}, START + second)

    assert levels(lines) == ["WARNING", "INFO", "INFO"]


def test_trouble_that_many_share_is_one_line(lines):
    ids = [f"id{number}" for number in range(100)]
    waiting = wait(*ids)
    waiting.update(dict.fromkeys(ids, CommsTimeoutError("no answer")), START)

    assert len(lines.records) == 1
    assert "Could not read the status of 100 operations; still waiting: no answer" in messages(lines)[0]


def test_a_status_that_nobody_knows_is_warned_of_once(lines):
    waiting = wait()
    for second in range(3):
        assert waiting.update({"a": operation(status="PAUSED")}, START + second) == Waiting()

    assert levels(lines) == ["WARNING", "INFO"]
    assert "'PAUSED': it is treated as non-terminal; still waiting" in messages(lines)[0]


@pytest.mark.parametrize(
    "status", ["\x1b[31mCOMPLETED\nFAKE LINE", "PAUSED" * 1000, "PAUSED for jo@example.com", "PAUSED\u2028\u202e"]
)
def test_no_status_writes_a_second_line_a_long_one_or_a_recipient(lines, status):
    waiting = wait(timeout=100)
    waiting.update({"a": operation(status=status)}, START)
    gone = wait(timeout=100, seen={"a": operation(status=status)}).update({"a": CommsNotFoundError("")}, START)
    texts = [*messages(lines), waiting.update({}, START + 100).message, gone.message.strip()]

    assert len(texts) == 4
    for text in texts:
        assert text.replace("\n", "", 1 if "note:" in text else 0).isprintable()
        assert len(text) < 400
        assert "jo@example.com" not in text


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("digits", [200, 400])
def test_no_counter_makes_a_long_line(lines, digits, sign):
    number = sign * 10**digits
    stats = {"recipients": 100, "delivered": number, "failed": number, "opened": number, "queued": number}
    for counters in (stats, {**stats, "recipients": 10**400}):
        waiting = wait(timeout=100, fail_if={"failed": 0, "reached": "< 5%"})
        waiting.update({"a": operation(**counters)}, START)
        texts = [*messages(lines), waiting.update({}, START + 100).message]
        verdict = wait(fail_if={"failed": "1%"}).update({"a": operation(status="COMPLETED", **counters)}, START)
        texts.append(getattr(verdict, "message", ""))
        assert max(map(len, texts)) < 400


def test_an_adaptive_wait_has_the_pace_of_what_it_has_seen():
    waiting = wait("a", "b", adaptive=True)
    assert waiting.delay(START) == 60
    waiting.update({"a": operation("a", "SCHEDULED", recipients=10), "b": operation("b", recipients=10)}, START)
    assert waiting.delay(START) == 15  # Of "b", which has nothing queued.
    waiting.update({"b": operation("b", "COMPLETED", recipients=10)}, START)
    assert waiting.delay(START) == 240


def test_a_retry_after_outweighs_the_interval_until_the_api_answers():
    waiting = wait()
    waiting.update({"a": CommsRateLimitError("429", ErrorContext(retry_after=600))}, START)
    assert waiting.delay(START) == 600
    waiting.update({"a": operation()}, START + 600)
    assert waiting.delay(START + 600) == 60


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_retry_after_holds_for_its_operation_and_for_no_other(order):
    found = {"a": CommsServerError("503", ErrorContext(retry_after=600)), "b": operation("b")}
    waiting = wait("a", "b")
    waiting.update({one: found[one] for one in order}, START)

    assert waiting.delay(START) == 60
    assert waiting.due(START + 60) == ["b"]
    waiting.update({"b": operation("b", queued=1)}, START + 60)
    assert waiting.due(START + 540) == ["b"]
    assert sorted(waiting.due(START + 600)) == ["a", "b"]


@pytest.mark.parametrize(("at", "due"), [(START + 60, ["b"]), (START + 86_400, ["a", "b"]), (math.nan, ["a", "b"])])
def test_a_retry_after_that_another_process_was_told_holds_if_it_can_be(at, due):
    assert wait("a", "b", retry_at={"a": at}).due(START) == due


def test_the_last_poll_is_at_the_deadline_and_asks_for_all():
    waiting = wait("a", "b", timeout=100)
    waiting.update({"a": operation(), "b": CommsServerError("503", ErrorContext(retry_after=86_400))}, START + 60)
    assert waiting.delay(START + 60) == 40
    assert waiting.due(START + 99) == ["a"]
    assert waiting.is_last_poll(START + 100)
    assert waiting.due(START + 100) == ["a", "b"]
    ended = {"a": operation("a", "COMPLETED"), "b": operation("b", "COMPLETED")}
    assert waiting.update(ended, START + 100) == Finished()


def test_only_the_last_poll_may_pass_a_throttle():
    now, chances = [START], []
    waiting = wait(timeout=100, now=lambda: now[0])

    def ask(resource, ids, *, last_chance=False):
        chances.append(last_chance)
        return {"a": CommsRateLimitError("429", ErrorContext(retry_after=86_400))}

    for now[0] in (START, START + 60, START + 100):
        waiting.poll(ask)

    assert chances == [False, False, True]


def test_past_the_deadline_the_message_tells_status_counters_polls_and_trouble():
    waiting = wait(timeout=100, polls=2)
    waiting.update({"a": operation(recipients=7, queued=4, delivered=3)}, START)
    verdict = waiting.update({"a": CommsServerError("503 from GET")}, START + 100)

    assert verdict.reason == "timeout"
    assert verdict.message.startswith(
        "Waited 100 s, polled 4 times; the operation has not finished: a: PROCESSING 42 %: 3 of 7 delivered, 4 queued. "
        "Last error: 503 from GET"
    )


def test_a_record_that_cannot_be_read_is_waited_out_with_one_warning_and_holds_nobody_up(lines):
    waiting = wait("a", "b")
    for second in range(0, 3000, 60):
        found = {"a": CommsRecordError("updatedAt is null"), "b": operation("b", "COMPLETED")}
        assert waiting.update(found, START + second) == Waiting()

    assert waiting.pending == ["a"]
    assert levels(lines).count("WARNING") == 1
    assert waiting.update({"a": operation(status="COMPLETED")}, START + 3000) == Finished()


def test_a_404_is_waited_out_while_the_id_is_fresh_and_no_longer():
    assert wait().update({"a": CommsNotFoundError("404")}, START + 29) == Waiting()
    assert isinstance(wait().update({"a": CommsNotFoundError("404")}, START + 31), Failed)


def test_ids_that_are_not_known_are_asked_for_at_the_other_resource_once_each():
    waiting, asked = wait("a", "b"), []

    def ask(resource, ids, *, last_chance=False):
        asked.append((resource.value, list(ids)))
        return {one: CommsNotFoundError("404") for one in ids}

    for _ in range(3):
        assert waiting.poll(ask) == Waiting()

    assert asked == [("emails", ["a", "b"]), ("messages", ["a", "b"]), ("emails", ["a", "b"]), ("emails", ["a", "b"])]


def test_many_that_are_not_known_are_asked_for_at_the_other_resource_over_several_polls():
    ids = [f"id{number}" for number in range(100)]
    waiting, asked = wait(*ids), []

    def ask(resource, ids, *, last_chance=False):
        if resource == "messages":
            asked.append(list(ids))
        return {one: CommsNotFoundError("404") for one in ids}

    for _ in range(9):
        waiting.poll(ask)

    assert sorted(one for some in asked for one in some) == sorted(ids)
    assert max(map(len, asked)) <= 32


def test_an_id_of_the_other_resource_is_named_though_others_are_not_known_yet():
    found = MessageOperation(id="wrong", status="PROCESSING", stats={}, created_at=START, updated_at=START)

    def ask(resource, ids, *, last_chance=False):
        return {one: found if (resource, one) == ("messages", "wrong") else CommsNotFoundError("404") for one in ids}

    for grace in (0, 30):
        verdict = wait("young", "wrong", grace=grace).poll(ask)
        assert verdict == Failed("refused", "Operation wrong is of resource 'messages': set resource='messages'.")


@pytest.mark.parametrize("grace", [0, 30])
def test_an_id_of_the_other_resource_fails_at_once_and_says_so(grace):
    found = MessageOperation(id="a", status="PROCESSING", stats={}, created_at=START, updated_at=START)

    def ask(resource, ids, *, last_chance=False):
        return {"a": found if resource == "messages" else CommsNotFoundError("")}

    verdict = wait(grace=grace).poll(ask)

    assert verdict == Failed("refused", "Operation a is of resource 'messages': set resource='messages'.")


def test_a_404_of_what_was_seen_before_names_age_and_retention():
    waiting = wait(timeout=10 * 86_400)
    waiting.update({"a": operation()}, START)
    verdict = waiting.update({"a": CommsNotFoundError("404")}, START + 6.5 * 86_400)

    assert "created 7.5 days ago" in verdict.message
    assert "deletes the record after 7 days" in verdict.message


def test_what_is_not_the_api_fails_at_the_start_and_is_waited_out_later():
    assert isinstance(wait().update({"a": CommsProtocolError("HTML")}, START), Failed)
    assert wait().update({"a": CommsProtocolError("HTML")}, START + 31) == Waiting()


def test_all_must_end_and_a_failure_counts_at_once():
    assert wait("a", "b").update({"a": operation(status="COMPLETED"), "b": operation("b")}, START) == Waiting()
    failing = wait("a", "b", on_canceled="fail")
    assert isinstance(failing.update({"a": operation(status="CANCELED"), "b": operation("b")}, START), Failed)


def test_a_skip_counts_when_all_have_ended():
    waiting = wait("a", "b", on_canceled="skip")
    assert waiting.update({"a": operation(status="CANCELED"), "b": operation("b")}, START) == Waiting()
    assert waiting.pending == ["b"]
    assert isinstance(waiting.update({"b": operation("b", "COMPLETED")}, START), Skipped)


def test_the_end_holds_the_operations_in_the_order_of_the_ids():
    waiting = wait("b", "a", "b")
    verdict = waiting.update({"a": operation(status="COMPLETED"), "b": operation("b", "COMPLETED")}, START + 7)
    end = waiting.end(verdict, START + 7)

    assert [one["id"] for one in end.operations] == ["b", "a", "b"]
    assert (end.is_list, end.waited) == (True, 7)


@pytest.mark.parametrize("started_at", [START + 3600, math.nan, math.inf, -math.inf])
def test_a_start_that_cannot_be_is_now(started_at):
    assert wait(started_at=started_at).remaining(START) == 3600


@pytest.mark.parametrize(("ahead", "delay"), [(-5, 0), (0, 0), (30, 30), (3600, 240), (math.nan, 0)])
def test_a_poll_that_another_machine_planned_is_no_later_than_any_pace_would_have_it(ahead, delay):
    assert wait().delay_until(START + ahead, START) == delay


def test_setting_the_machines_clock_does_not_make_a_waits_clock_jump():
    wall, steady = [START], [50.0]
    clock = SteadyClock(lambda: wall[0], lambda: steady[0])
    wall[0], steady[0] = START + 3600, 53.0

    assert clock() == START + 3

"""Whatever becomes of a try, nobody is sent it twice, and nobody forgotten; the simulator counts what was accepted."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from contextlib import suppress
from itertools import pairwise

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_comms.cli.parser import parser as command_line
from airflow_provider_comms.comms.errors import CommsRateLimitError, CommsServerError
from airflow_provider_comms.exceptions import (
    CommsPermanentError,
    CommsSendChanged,
    CommsSendUnknown,
    CommsSendUntracked,
    CommsThresholdExceeded,
)
from airflow_provider_comms.operators.send import CommsSendEmailsOperator, CommsSendMessagesOperator
from tests.integration.operators.tries import FileStore, try_once

SENDER = {"address": "news@example.com", "name": "Example News"}
PEOPLE = [f"canary{number}@example.com" for number in range(5)]


@pytest.fixture(autouse=True)
def _connection(comms_simulator, monkeypatch):
    connection = json.loads(comms_simulator.connection_json())
    # A read that hangs is given up after a second.
    connection["extra"] = {"attempts": 1, "attempt_timeout": 1, "read_timeout": 1}
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", json.dumps(connection))


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path)


def emails(**kwargs):
    content = {"from_": SENDER, "subject": "Hi", "html": "<p>Hi</p>"}
    return CommsSendEmailsOperator(**{"task_id": "send", "to": PEOPLE, "confirm_for": 0, **content, **kwargs})


def counts(simulator):
    """Return how often each recipient was accepted."""
    return dict(simulator.accepted_recipients("emails"))


ONCE = dict.fromkeys(PEOPLE, 1)

ACCEPTED_THEN = [
    ("reset", {}),
    ("hang", {}),
    ("truncated", {}),
    (500, {}),
    (502, {}),
    (503, {}),
    (504, {}),
    ("raw", {"status": 503, "body": "<html>busy</html>"}),
    ("raw", {"status": 408, "body": ""}),
]


@pytest.mark.parametrize(("kind", "fields"), ACCEPTED_THEN, ids=str)
@pytest.mark.parametrize("has_store", [True, False], ids=["store", "no store"])
def test_accepted_then_lost_is_adopted(comms_simulator, store, kind, fields, has_store):
    comms_simulator.fault(kind, route="send", accept=True, times=1, **fields)

    sent = try_once(emails(), store if has_store else None)

    assert sent["operations"] == [comms_simulator.sends[0].operation_id]
    assert counts(comms_simulator) == ONCE


@pytest.mark.parametrize(
    ("kind", "fields"),
    # Of a truncated answer the id is known; a 503 of the API's own is not processed, says Twilio.
    [one for one in ACCEPTED_THEN if one[0] not in {"truncated", 503}],
    ids=str,
)
@pytest.mark.parametrize("has_store", [True, False], ids=["store", "no store"])
def test_what_the_list_does_not_show_yet_is_unknown_at_every_try(comms_simulator, store, kind, fields, has_store):
    store = store if has_store else None
    comms_simulator.change_settings(item_lag=3600)
    comms_simulator.fault(kind, route="send", accept=True, times=1, **fields)

    for number in (1, 2, 3):
        with pytest.raises(CommsSendUnknown):
            try_once(emails(), store, number)
    assert counts(comms_simulator) == ONCE
    comms_simulator.advance(3600)
    assert try_once(emails(), store, 4)["operations"] == [comms_simulator.sends[0].operation_id]
    assert counts(comms_simulator) == ONCE


NOT_ACCEPTED = ["reset", "reset_request", 500, 502, 504]


@pytest.mark.parametrize("kind", NOT_ACCEPTED)
def test_not_accepted_is_unknown_too_and_resent_when_asked(comms_simulator, store, kind):
    comms_simulator.fault(kind, route="send", times=1)

    with pytest.raises(CommsSendUnknown):
        try_once(emails(), store)
    with pytest.raises(CommsSendUnknown):
        try_once(emails(), store, 2)
    assert counts(comms_simulator) == {}
    try_once(emails(on_unknown="resend"), store, 3)
    assert counts(comms_simulator) == ONCE


@pytest.mark.parametrize("kind", [429, 503])
@pytest.mark.parametrize("has_store", [True, False], ids=["store", "no store"])
def test_what_was_not_processed_is_sent_by_the_next_try(comms_simulator, store, kind, has_store):
    comms_simulator.fault(kind, route="send", times=1)
    with pytest.raises(Exception, match=str(kind)):
        try_once(emails(), store if has_store else None)

    if has_store:
        try_once(emails(), store, 2)
        assert counts(comms_simulator) == ONCE
    else:
        # Nothing tells this try from one that was killed after it had sent.
        with pytest.raises(CommsSendUnknown):
            try_once(emails(), None, 2)
        assert counts(comms_simulator) == {}


def test_a_server_that_cannot_be_reached_is_an_ordinary_failure(comms_simulator, store):
    comms_simulator.stop()
    with pytest.raises(Exception, match="ConnectError"):
        try_once(emails(look_before=False), store)
    comms_simulator.start()

    assert try_once(emails(), store, 2)["recipients"] == 5
    assert counts(comms_simulator) == ONCE


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415, 422, 302])
def test_refused_is_refused_and_may_be_fixed(comms_simulator, store, status):
    redirect = {"kind": "redirect", "status": 302, "location": "https://example.com/login"}
    comms_simulator.fault(**(redirect if status == 302 else {"kind": status}), route="send", times=1)
    with pytest.raises(CommsPermanentError):
        try_once(emails(), store)

    try_once(emails(subject="Fixed"), store, 2)
    assert counts(comms_simulator) == ONCE


@pytest.mark.parametrize("form", ["location-only", "without-id", "empty", "html"])
def test_an_answer_that_cannot_be_read_is_a_send(comms_simulator, store, form):
    comms_simulator.change_settings(accepted_form=form)

    assert try_once(emails(), store)["operations"] == [comms_simulator.sends[0].operation_id]
    assert counts(comms_simulator) == ONCE


def test_an_operation_that_nobody_can_find_fails_at_the_end_and_is_not_sent_again(comms_simulator, store):
    comms_simulator.change_settings(accepted_form="empty", item_lag=3600)

    with pytest.raises(CommsSendUntracked, match="chunk 1, 2, 3 of 3"):
        try_once(emails(chunk_size=2), store)
    with pytest.raises(CommsSendUntracked):
        try_once(emails(chunk_size=2), store, 2)
    assert counts(comms_simulator) == ONCE
    comms_simulator.advance(3600)
    assert len(try_once(emails(chunk_size=2), store, 3)["operations"]) == 3
    assert counts(comms_simulator) == ONCE


def test_an_untracked_send_says_why_it_cannot_be_found(comms_simulator, store):
    comms_simulator.change_settings(accepted_form="empty")
    comms_simulator.permit(comms_simulator.account_sid, "emails", False, route="find")

    with pytest.raises(CommsSendUntracked, match="could not look for it: 403"):
        try_once(emails(), store)


def test_a_page_of_a_portal_is_no_acceptance(comms_simulator, store):
    portal = comms_simulator.fault("html")
    with pytest.raises(CommsSendUnknown):
        try_once(emails(), store)
    comms_simulator.clear_faults()

    sent = try_once(emails(on_unknown="resend"), store, try_number=2)

    assert portal.kind == "html"
    assert len(sent["operations"]) == 1
    assert counts(comms_simulator) == ONCE


def test_what_was_sent_several_times_is_not_called_sent_once(comms_simulator, store):
    comms_simulator.change_settings(item_lag=3600)
    comms_simulator.fault(504, route="send", accept=True)

    with pytest.raises(CommsSendUnknown, match="It was sent 3 times, as on_unknown"):
        try_once(emails(on_unknown="resend"), store)


def test_of_two_chunks_the_second_unknown(comms_simulator, store, caplog):
    comms_simulator.change_settings(item_lag=3600)
    comms_simulator.fault(502, route="send", accept=True, skip=1, times=1)
    operator = emails(chunk_size=2)

    with pytest.raises(CommsSendUnknown) as unknown:
        try_once(operator, store)

    text = str(unknown.value)
    assert "chunk 2 of 3 (2 recipients)" in text
    assert "Accepted before: 1 chunk, 2 recipients." in text
    tag = comms_simulator.sends[1].tags["airflow.send"]
    assert f"tag: airflow.send:{tag}" in text
    assert re.search(r"between 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d and 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", text)
    assert "request id" in text
    assert 'on_unknown="resend"' in text
    assert "send_key=<new>" in text
    assert len(comms_simulator.sends) == 2
    comms_simulator.advance(3600)
    assert len(try_once(emails(chunk_size=2), store, 2)["operations"]) == 3
    assert counts(comms_simulator) == ONCE


def test_the_command_that_an_error_names_exists(comms_simulator, store):
    comms_simulator.change_settings(item_lag=3600)
    comms_simulator.fault(502, route="send", accept=True, times=1)
    with pytest.raises(CommsSendUnknown) as unknown:
        try_once(emails(), store)

    (line,) = [line for line in str(unknown.value).splitlines() if "find out:" in line]
    words = line.split("airflow comms ")[1].split()
    arguments = command_line().parse_args(words)
    assert (arguments.resource, arguments.conn_id) == ("emails", "twilio_comms_default")
    assert arguments.tag == f"airflow.send:{comms_simulator.sends[0].tags['airflow.send']}"


@pytest.mark.parametrize("has_store", [True, False], ids=["store", "no store"])
def test_a_clear_adopts(comms_simulator, store, has_store):
    store = store if has_store else None
    first = try_once(emails(chunk_size=2), store)

    assert try_once(emails(chunk_size=2), store, 2) == first
    assert try_once(emails(chunk_size=2), None, 1) == first
    assert counts(comms_simulator) == ONCE


def test_another_key_is_another_send(comms_simulator, store):
    try_once(emails(), store)
    try_once(emails(send_key="spring-2"), store, 2)
    assert set(counts(comms_simulator).values()) == {2}


def test_one_key_in_two_runs_is_one_send(comms_simulator):
    for run in ("a", "b"):
        try_once(emails(send_key="spring"), None, run_id=run)
    assert counts(comms_simulator) == ONCE


@pytest.mark.parametrize("key", ["None", "", "  "])
def test_what_a_template_makes_of_nothing_is_no_key(comms_simulator, key):
    for run in ("a", "b"):
        try_once(emails(send_key=key), None, run_id=run)
    assert set(counts(comms_simulator).values()) == {2}


@pytest.mark.parametrize("has_store", [True, False], ids=["store", "no store"])
@pytest.mark.parametrize("change", ["another one", "one less", "another order", "another text"])
def test_recipients_that_changed_between_tries_are_refused(comms_simulator, store, tmp_path, has_store, change):
    store = store if has_store else None
    path = tmp_path / "people.csv"
    path.write_text("\n".join(["address", *PEOPLE]))
    comms_simulator.fault(429, route="send", skip=2, times=1)
    with pytest.raises(Exception, match="429"):
        try_once(emails(to=str(path), chunk_size=2), store)

    people = {
        "another one": ["x@example.com", *PEOPLE],
        "one less": PEOPLE[1:],
        "another order": PEOPLE[::-1],
    }
    path.write_text("\n".join(["address", *people.get(change, PEOPLE)]))
    with pytest.raises(CommsSendChanged, match="Recipients or text changed between attempts: chunk 1"):
        try_once(emails(to=str(path), chunk_size=2, subject="Ho" if change == "another text" else "Hi"), store, 2)

    assert counts(comms_simulator) == dict.fromkeys(PEOPLE[:4], 1)
    if has_store:
        path.write_text("\n".join(["address", *PEOPLE]))
        try_once(emails(to=str(path), chunk_size=2), store, 3)
        assert counts(comms_simulator) == ONCE


def test_a_list_that_may_not_be_read_is_no_absence(comms_simulator, store):
    user = json.loads(comms_simulator.connection_json())["login"]
    comms_simulator.permit(user, "emails", allowed=False, route="find")
    comms_simulator.fault("reset", route="send", accept=True, times=1)

    with pytest.raises(CommsSendUnknown, match=r"could not look for it: .*403"):
        try_once(emails(), store)
    with pytest.raises(CommsSendUnknown):
        try_once(emails(), store, 2)
    assert counts(comms_simulator) == ONCE


def test_a_list_that_may_not_be_read_hinders_no_first_try(comms_simulator, store):
    user = json.loads(comms_simulator.connection_json())["login"]
    comms_simulator.permit(user, "emails", allowed=False, route="find")

    try_once(emails(), store)
    with pytest.raises(CommsPermanentError):
        try_once(emails(send_key="shared"), store)
    assert counts(comms_simulator) == ONCE


def test_a_retry_of_the_wait_adopts_the_send(comms_simulator, store):
    comms_simulator.change_settings(send_plan={"processing_for": 0.0, "failed": 1.0})
    waiting = {"wait_for_completion": True, "deferrable": False, "poke_interval": 0.1, "fail_if": {"failed": 0}}
    for number in (1, 2, 3):
        with pytest.raises(CommsThresholdExceeded):
            try_once(emails(**waiting), store, number)
    assert counts(comms_simulator) == ONCE


def test_a_task_that_is_being_killed_sends_nothing_more(comms_simulator, store):
    operator = emails(chunk_size=2, pause_between_chunks=30)
    threading.Thread(target=_kill_after_a_send, args=(comms_simulator, operator), daemon=True).start()

    with pytest.raises(AirflowException, match="1 of 3 chunks were accepted"):
        try_once(operator, store)

    assert len(comms_simulator.sends) == 1
    try_once(emails(chunk_size=2), store, 2)
    assert counts(comms_simulator) == ONCE


@pytest.mark.parametrize("kind", [503, 502])
@pytest.mark.parametrize("on_unknown", ["fail", "resend"])
def test_a_task_that_is_killed_while_it_looks_sends_nothing_more(comms_simulator, store, kind, on_unknown):
    comms_simulator.change_settings(item_lag=3600)
    comms_simulator.fault(kind, route="send", accept=True, times=9)
    operator = emails(confirm_for=30, on_unknown=on_unknown)
    threading.Thread(target=_kill_after_a_send, args=(comms_simulator, operator), daemon=True).start()

    with pytest.raises(AirflowException, match="The task was stopped") as stopped:
        try_once(operator, store)

    assert not isinstance(stopped.value, CommsSendUnknown)  # Its next try may find it.
    assert "find out: airflow comms find emails --tag airflow.send:" in str(stopped.value)
    with pytest.raises(CommsSendUnknown):
        try_once(emails(), store, 2)
    assert counts(comms_simulator) == ONCE


def _kill_after_a_send(simulator, operator):
    while not simulator.sends:
        time.sleep(0.01)
    operator.on_kill()


def test_503_is_sent_once_by_a_try_however_late_the_list(comms_simulator, store):
    comms_simulator.change_settings(item_lag=3600)
    comms_simulator.fault(503, route="send", accept=True, times=9)

    with pytest.raises(CommsServerError, match="The next try of the task looks for it once more"):
        try_once(emails(), store)
    assert counts(comms_simulator) == ONCE
    comms_simulator.advance(3600)
    assert try_once(emails(), store, 2)["operations"] == [comms_simulator.sends[0].operation_id]
    assert counts(comms_simulator) == ONCE


def test_what_a_portal_answers_is_no_acceptance(comms_simulator, store):
    comms_simulator.fault("html", route="send", times=1)

    with pytest.raises(CommsSendUnknown, match="200 from POST /v1/Emails, without an operation"):
        try_once(emails(), store)
    assert counts(comms_simulator) == {}
    try_once(emails(on_unknown="resend"), store, 2)
    assert counts(comms_simulator) == ONCE


def test_why_an_operation_is_not_found_is_said(comms_simulator, store):
    user = json.loads(comms_simulator.connection_json())["login"]
    comms_simulator.permit(user, "emails", allowed=False, route="find")
    comms_simulator.change_settings(accepted_form="empty")

    with pytest.raises(CommsSendUntracked, match=r"could not look for it: .*403"):
        try_once(emails(), store)


def test_a_chunk_that_was_refused_is_repaired_and_the_others_are_not_sent_again(comms_simulator, store):
    comms_simulator.fault(400, route="send", skip=1, times=1)
    with pytest.raises(CommsPermanentError):
        try_once(emails(chunk_size=2), store)
    repaired = [*PEOPLE[:2], "repaired@example.com", *PEOPLE[3:]]

    assert len(try_once(emails(to=repaired, chunk_size=2), store, 2)["operations"]) == 3
    assert counts(comms_simulator) == dict.fromkeys(repaired, 1)


@pytest.mark.parametrize("when", ["under way", "looking"])
def test_an_interrupt_says_how_to_find_out(comms_simulator, store, when):
    class Interrupt(BaseException):
        pass

    comms_simulator.change_settings(item_lag=3600)
    comms_simulator.fault("hang" if when == "under way" else 500, route="send", accept=True, times=1)

    def interrupt(*_):
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(Interrupt) as interrupted:
            try_once(emails(confirm_for=30), store)
    finally:
        signal.signal(signal.SIGALRM, before)

    tag = f"airflow comms find emails --tag airflow.send:{comms_simulator.sends[0].tags['airflow.send']}"
    assert tag in "".join(interrupted.value.__notes__)


def test_without_a_store_an_error_says_what_the_next_try_cannot_know(comms_simulator):
    comms_simulator.fault(429, route="send", times=1)

    with pytest.raises(CommsRateLimitError, match=r"Airflow before 3\.3 does not tell the next try"):
        try_once(emails())


def test_without_a_store_what_comes_after_what_was_sent_again_is_not_waited_for(comms_simulator):
    comms_simulator.fault(500, route="send", times=1)
    with pytest.raises(CommsSendUnknown):
        try_once(emails(chunk_size=2))
    begun = time.monotonic()

    try_once(emails(chunk_size=2, on_unknown="resend", confirm_for=1.5), None, 2)

    assert counts(comms_simulator) == ONCE
    assert time.monotonic() - begun < 4  # Three chunks that are waited for take 4.5 s.


def test_an_interrupt_on_the_way_is_found_by_the_next_try(comms_simulator, store):
    """Airflow's own timeout of a task, a KeyboardInterrupt: whatever is raised in the middle of a request."""

    class Interrupt(BaseException):
        pass

    class Interrupted(FileStore):
        def set(self, key, value):
            if value["state"] == "sent":
                raise Interrupt
            super().set(key, value)

    with suppress(Interrupt):
        try_once(emails(), Interrupted(store.folder))

    assert try_once(emails(), store, 2)["operations"] == [comms_simulator.sends[0].operation_id]
    assert counts(comms_simulator) == ONCE


def test_messages_are_sent_once_too(comms_simulator, store):
    comms_simulator.fault(500, route="send", accept=True, times=1)
    operator = CommsSendMessagesOperator(task_id="send", to=["+14155550100"], text="Hi", confirm_for=0)

    assert try_once(operator, store)["operations"] == [comms_simulator.sends[0].operation_id]
    assert len(comms_simulator.sends) == 1


def test_chunks_pause_in_between(comms_simulator, store):
    try_once(emails(chunk_size=2, pause_between_chunks=0.2), store)

    times = [one.at for one in comms_simulator.sends]
    assert all((later - earlier).total_seconds() >= 0.19 for earlier, later in pairwise(times))

"""A request is accepted once, whatever becomes of its tries; what nobody knows is said."""

from __future__ import annotations

import pytest

from airflow_provider_comms.comms.errors import CommsBadRequestError, CommsError, CommsPermissionError, ErrorContext
from airflow_provider_comms.sending.once import Changed, Sent, Stopped, Unknown
from tests.unit.sending.twilio import Answer, Killed, Request, Store, Twilio, failure, once

REQUEST = Request(["jo@example.com"])
LOST = Answer(raises=failure(None, sent=True))
"""Accepted, but the connection was cut."""
VANISHED = Answer(accepts=False, raises=failure(None, sent=True))


def test_a_send_is_accepted_and_written_down():
    twilio, journal = Twilio(), Store()

    end = once(twilio, journal).send(REQUEST, "d1")

    assert end == Sent(("comms_operation_1",))
    assert journal["d1"]["state"] == "sent"
    assert twilio.accepted[0][2] == {"airflow.send": "d1", "airflow.body": "c1"}


def test_sending_is_written_down_before_the_request():
    twilio, journal = Twilio([Answer(accepts=False, raises=Killed())]), Store()

    with pytest.raises(Killed):
        once(twilio, journal).send(REQUEST, "d1")

    assert journal["d1"]["state"] == "sending"


def test_nothing_is_sent_if_that_fails():
    class Broken(Store):
        def write(self, digest, record):
            raise OSError("no database")

    twilio = Twilio()
    with pytest.raises(OSError, match="no database"):
        once(twilio, Broken()).send(REQUEST, "d1")
    assert twilio.posts == 0


def test_that_it_was_accepted_need_not_be_written_down():
    class Full(Store):
        def write(self, digest, record):
            if record["state"] == "sent":
                raise OSError("disk full")
            super().write(digest, record)

    assert once(Twilio(), Full()).send(REQUEST, "d1") == Sent(("comms_operation_1",))


@pytest.mark.parametrize("status", [None, 500, 502, 503, 504])
def test_a_lost_answer_is_found_by_its_tag(status):
    twilio = Twilio([Answer(raises=failure(status))], lag=20)

    assert once(twilio, Store()).send(REQUEST, "d1") == Sent(("comms_operation_1",), is_adopted=True)
    assert len(twilio.accepted) == 1


def test_what_is_not_found_is_unknown_and_not_sent_again():
    twilio, journal = Twilio([LOST], lag=3600), Store()

    end = once(twilio, journal).send(REQUEST, "d1")

    assert isinstance(end, Unknown)
    assert (end.until - end.since).total_seconds() == 60
    assert twilio.posts == 1
    assert journal["d1"]["state"] == "sending"


def test_unknown_stays_unknown_at_the_next_try_and_is_adopted_when_it_shows():
    twilio, journal = Twilio([LOST], lag=100), Store()
    once(twilio, journal, confirm_for=10).send(REQUEST, "d1")

    again = once(twilio, journal, confirm_for=10, is_retry=True).send(REQUEST, "d1")
    twilio.sleep(100)
    later = once(twilio, journal, confirm_for=10, is_retry=True).send(REQUEST, "d1")

    assert isinstance(again, Unknown)
    assert later == Sent(("comms_operation_1",), is_adopted=True)
    assert len(twilio.accepted) == 1


def test_a_look_up_that_fails_is_not_taken_for_absence():
    forbidden = CommsPermissionError("403", ErrorContext(status=403))
    twilio = Twilio([VANISHED], look_up_error=forbidden)

    end = once(twilio, Store(), look_before=False).send(REQUEST, "d1")

    assert isinstance(end, Unknown)
    assert end.look_up_error is forbidden


def test_resend_sends_again_what_is_not_found():
    twilio = Twilio([VANISHED])

    end = once(twilio, Store(), on_unknown="resend").send(REQUEST, "d1")

    assert end == Sent(("comms_operation_1",))
    assert twilio.posts == 2


def test_resend_adopts_what_is_found():
    twilio = Twilio([LOST])

    assert once(twilio, Store(), on_unknown="resend").send(REQUEST, "d1").is_adopted
    assert twilio.posts == 1


def test_what_was_accepted_twice_has_both_operations(caplog):
    twilio = Twilio([LOST, LOST], lag=3600)
    assert isinstance(once(twilio, Store(), on_unknown="resend", confirm_for=0).send(REQUEST, "d1"), Sent)
    twilio.time += 3600

    found = once(twilio, None, is_retry=True).send(REQUEST, "d1")

    assert found == Sent(("comms_operation_1", "comms_operation_2", "comms_operation_3"), is_adopted=True)
    assert "This request was accepted 3 times." in caplog.text


def test_resend_does_not_go_on_for_ever():
    twilio = Twilio([VANISHED] * 9)

    assert isinstance(once(twilio, Store(), on_unknown="resend").send(REQUEST, "d1"), Unknown)
    assert twilio.posts == 3


def test_resend_at_the_next_try_sends_what_the_first_left_unknown():
    twilio, journal = Twilio([VANISHED]), Store()
    once(twilio, journal).send(REQUEST, "d1")

    assert once(twilio, journal, on_unknown="resend", is_retry=True).send(REQUEST, "d1") == Sent(("comms_operation_1",))


BUSY = failure(503, is_comms_error=True)
"""Of which Twilio says that it is to be sent again."""


def test_503_of_the_api_is_sent_again_by_the_next_try():
    twilio, journal = Twilio([Answer(accepts=False, raises=BUSY)] * 2), Store()

    for is_retry in (False, True):
        with pytest.raises(CommsError, match="The next try of the task looks for it"):
            once(twilio, journal, is_retry=is_retry).send(REQUEST, "d1")
    assert once(twilio, journal, is_retry=True).send(REQUEST, "d1") == Sent(("comms_operation_1",))
    assert twilio.posts == 3


def test_503_of_the_api_that_was_accepted_all_the_same_is_found():
    twilio = Twilio([Answer(raises=BUSY)], lag=50)

    assert once(twilio, Store()).send(REQUEST, "d1").is_adopted
    assert len(twilio.accepted) == 1


@pytest.mark.parametrize("hours", [0, 12])
def test_after_503_the_next_try_looks_for_all_that_was_sent_before(hours):
    twilio, journal = Twilio([Answer(raises=BUSY)], lag=100 + hours * 3600), Store()
    with pytest.raises(CommsError):
        once(twilio, journal).send(REQUEST, "d1")
    twilio.sleep(hours * 3600)

    assert once(twilio, journal, is_retry=True).send(REQUEST, "d1").is_adopted
    assert twilio.posts == 1


@pytest.mark.parametrize("refusal", [failure(429), failure(None, sent=False)])
def test_what_is_not_sent_the_second_time_may_have_been_the_first_time(refusal):
    twilio, journal = Twilio([LOST, Answer(accepts=False, raises=refusal)], lag=3600), Store()
    with pytest.raises(CommsError):
        once(twilio, journal, on_unknown="resend").send(REQUEST, "d1")

    assert isinstance(once(twilio, journal, is_retry=True).send(REQUEST, "d1"), Unknown)
    assert twilio.posts == 2


def test_503_and_then_429_is_sent_by_the_next_try():
    twilio, journal = Twilio([Answer(accepts=False, raises=one) for one in (BUSY, failure(429))]), Store()
    for is_retry in (False, True):
        with pytest.raises(CommsError):
            once(twilio, journal, is_retry=is_retry).send(REQUEST, "d1")

    assert once(twilio, journal, is_retry=True).send(REQUEST, "d1") == Sent(("comms_operation_1",))


def test_503_after_what_is_unknown_stays_unknown():
    twilio, journal = Twilio([LOST, *[Answer(accepts=False, raises=BUSY)] * 2], lag=3600), Store()

    assert isinstance(once(twilio, journal, on_unknown="resend").send(REQUEST, "d1"), Unknown)
    assert isinstance(once(twilio, journal, is_retry=True).send(REQUEST, "d1"), Unknown)
    assert twilio.posts == 3


def stopped_after(twilio, posts, journal, **rules):
    """Return what sends in a task that is stopped after some requests."""
    sender = once(twilio, journal, **rules)
    sender.pause = lambda _: twilio.posts >= posts
    return sender


@pytest.mark.parametrize("answer", [LOST, VANISHED, Answer(raises=BUSY)], ids=["accepted", "not accepted", "503"])
@pytest.mark.parametrize("on_unknown", ["fail", "resend"])
def test_a_task_that_is_stopped_sends_nothing_more(answer, on_unknown):
    twilio, journal = Twilio([answer], lag=3600), Store()

    for _ in range(2):
        sender = stopped_after(twilio, 1, journal, on_unknown=on_unknown, look_before=False)
        with pytest.raises(Stopped):
            sender.send(REQUEST, "d1")
        assert sender.unknown
    assert twilio.posts == 1
    assert journal["d1"]["state"] == "sending"


def test_a_task_that_is_stopped_before_it_sends_does_not_send():
    twilio, journal = Twilio(), Store()

    with pytest.raises(Stopped):
        stopped_after(twilio, 0, journal).send(REQUEST, "d1")
    assert once(twilio, journal, is_retry=True).send(REQUEST, "d1") == Sent(("comms_operation_1",))
    assert twilio.posts == 1


def test_503_of_the_api_and_no_look_up_is_unknown():
    forbidden = CommsPermissionError("403", ErrorContext(status=403))
    twilio = Twilio([Answer(raises=failure(503, is_comms_error=True))], look_up_error=forbidden)

    assert isinstance(once(twilio, Store(), look_before=False).send(REQUEST, "d1"), Unknown)
    assert twilio.posts == 1


@pytest.mark.parametrize(
    "error",
    [failure(None, sent=False), failure(429), CommsBadRequestError("400", ErrorContext(status=400, sent=True))],
    ids=["not sent", "429", "400"],
)
def test_what_was_not_processed_may_be_sent_by_the_next_try(error):
    twilio, journal = Twilio([Answer(accepts=False, raises=error)]), Store()
    with pytest.raises(CommsError):
        once(twilio, journal).send(REQUEST, "d1")

    assert once(twilio, journal, is_retry=True).send(REQUEST, "d1") == Sent(("comms_operation_1",))


def test_without_a_journal_a_retry_adopts_what_it_finds():
    twilio = Twilio([LOST], lag=30)
    once(twilio, None, confirm_for=1).send(REQUEST, "d1")

    assert once(twilio, None, is_retry=True).send(REQUEST, "d1").is_adopted
    assert len(twilio.accepted) == 1


def test_without_a_journal_a_retry_that_finds_nothing_is_unknown():
    twilio = Twilio([LOST], lag=3600)
    once(twilio, None).send(REQUEST, "d1")

    assert isinstance(once(twilio, None, is_retry=True).send(REQUEST, "d1"), Unknown)
    assert twilio.posts == 1


def test_what_was_accepted_is_adopted_without_a_request():
    twilio, journal = Twilio(), Store()
    once(twilio, journal).send(REQUEST, "d1")
    finds = twilio.finds

    assert once(twilio, journal, is_retry=True).send(REQUEST, "d1") == Sent(("comms_operation_1",), is_adopted=True)
    assert (twilio.posts, twilio.finds) == (1, finds)


@pytest.mark.parametrize("journal", [Store(), None], ids=["journal", "no journal"])
def test_another_content_under_the_same_key_is_refused(journal):
    twilio = Twilio()
    once(twilio, journal).send(REQUEST, "d1")

    end = once(twilio, journal, content="c2", is_retry=True).send(REQUEST, "d1")

    assert end == Changed(("comms_operation_1",))
    assert twilio.posts == 1


def test_a_first_try_looks_too_unless_told_not_to():
    twilio = Twilio()
    once(twilio, Store()).send(REQUEST, "d1")

    assert once(twilio, Store()).send(REQUEST, "d1").is_adopted
    assert not once(twilio, Store(), look_before=False).send(REQUEST, "d1").is_adopted


def test_a_first_try_under_its_own_key_does_not_need_the_look_up():
    twilio = Twilio(look_up_error=CommsPermissionError("403", ErrorContext(status=403)))

    assert once(twilio, Store()).send(REQUEST, "d1") == Sent(("comms_operation_1",))


@pytest.mark.parametrize("rules", [{"is_own_key": False}, {"is_retry": True}])
def test_where_somebody_may_have_sent_before_it_does(rules):
    twilio = Twilio(look_up_error=CommsPermissionError("403", ErrorContext(status=403)))

    with pytest.raises(CommsPermissionError):
        once(twilio, Store(), **rules).send(REQUEST, "d1")
    assert twilio.posts == 0


def test_an_answer_without_an_id_is_tracked_down():
    twilio = Twilio([Answer(has_id=False)], lag=30)

    assert once(twilio, Store()).send(REQUEST, "d1") == Sent(("comms_operation_1",))


def test_an_operation_that_cannot_be_tracked_down_is_never_sent_again():
    twilio, journal = Twilio([Answer(has_id=False)], names_operations=False), Store()

    assert once(twilio, journal).send(REQUEST, "d1") == Sent(())
    assert once(twilio, journal, is_retry=True).send(REQUEST, "d1") == Sent((), is_adopted=True)
    assert twilio.posts == 1


def test_a_task_that_is_stopped_looks_once():
    twilio = Twilio([LOST], lag=3600)

    with pytest.raises(Stopped):
        stopped_after(twilio, 1, Store(), look_before=False).send(REQUEST, "d1")
    assert twilio.finds == 1


def test_an_unknown_end_says_how_often_it_was_sent():
    assert once(Twilio([VANISHED] * 9), Store()).send(REQUEST, "d1").posts == 1
    assert once(Twilio([VANISHED] * 9), Store(), on_unknown="resend").send(REQUEST, "d1").posts == 3

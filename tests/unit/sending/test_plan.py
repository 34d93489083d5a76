"""The requests of a send: everybody in one of them, in a fixed order, none too large, all checked before the first."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.sending.requests import EmailSend, MessageSend
from airflow_provider_comms.sending.allow_list import AllowList
from airflow_provider_comms.sending.chunks import MAX_BODY, Chunks
from airflow_provider_comms.sending.keys import default_send_key, own_tags, send_digest
from airflow_provider_comms.sending.plan import Limits, plan
from airflow_provider_comms.sending.recipients import read_recipients

email = partial(EmailSend, from_={"address": "news@example.com", "name": "News"}, subject="Hi", html="<p>Hi</p>")


@pytest.fixture
def make():
    with ExitStack() as stack:

        def made(rows, build=email, resource=Resource.EMAILS, **limits):
            return plan(build, read_recipients(resource, rows), Limits(**limits), stack)

        yield made


def addresses(made):
    return [[one["address"] for one in chunk] for chunk in made.chunks]


def people(count):
    return [f"p{number}@example.com" for number in range(count)]


def test_chunks_keep_the_order(make):
    made = make(people(5), chunk_size=2)

    assert addresses(made) == [
        ["p0@example.com", "p1@example.com"],
        ["p2@example.com", "p3@example.com"],
        ["p4@example.com"],
    ]
    assert made.chunks.recipients == 5
    assert len(made.request(3).to) == 1


@given(st.lists(st.integers(0, 400), min_size=1, max_size=30), st.integers(1, 7))
def test_nobody_is_lost_and_no_chunk_is_too_large(lengths, size):
    rows = [{"address": f"p{n}@example.com", "variables": {"x": "é" * length}} for n, length in enumerate(lengths)]
    with Chunks(size, room=1000) as chunks:
        chunks.fill(read_recipients(Resource.EMAILS, rows))
        parts = list(chunks)
        assert [one["address"] for part in parts for one in part] == [row["address"] for row in rows]
        assert all(0 < len(part) <= size for part in parts)
        assert [row for number in range(1, len(parts) + 1) for row in chunks.rows_of(number, range(1, 8))] == list(
            range(1, len(rows) + 1)
        )


def test_a_request_stays_below_five_megabytes(make):
    rows = [{"address": f"p{n}@example.com", "bio": "x" * 3000} for n in range(4000)]
    made = make(rows, partial(email, attachments=[{"filename": "a", "contentType": "a/b", "content": b"x" * 10**6}]))

    sizes = [len(made.request(number).with_tags(own_tags("d" * 32, "c" * 32)).body()) for number in (1, 2)]
    assert all(MAX_BODY - 10_000 < size <= MAX_BODY for size in sizes)


def test_one_who_is_too_long_is_named_by_the_row(make):
    with pytest.raises(CommsArgumentError, match="row 2:"):
        make(["a@example.com", {"address": "b@example.com", "x": "y" * MAX_BODY}])


def test_who_is_given_twice_gets_it_once(make):
    made = make(["a@example.com", "b@example.com", "A@example.com", {"address": "b@EXAMPLE.com", "x": 1}])

    assert addresses(made) == [["a@example.com", "b@example.com"]]
    assert made.duplicates == 2


def test_unless_that_is_meant(make):
    assert make(["a@example.com", "a@example.com"], deduplicate=False).chunks.recipients == 2


def test_no_recipient_is_no_plan(make):
    assert make([]) is None


def test_more_than_the_most_is_refused(make):
    assert make(people(3), max_recipients=3).chunks.recipients == 3
    with pytest.raises(CommsArgumentError, match="more than max_recipients=3"):
        make(people(4), max_recipients=3)


def test_duplicates_do_not_count(make):
    assert make(people(3) * 2, max_recipients=3)


def test_who_is_not_allowed_stops_the_send(make):
    with pytest.raises(
        CommsArgumentError, match=r"Not on the list allow_recipients: 2 recipients, the first in row 1"
    ) as refused:
        make(people(3), allowed=AllowList(["p1@example.com"]))
    assert "p0" not in str(refused.value)
    with pytest.raises(CommsArgumentError, match="Not on the list allow_recipients: 1 recipient,"):
        make(people(1), allowed=AllowList([]))


def test_the_content_is_checked_before_the_recipients_are_read(make):
    def rows():
        yield "a@example.com"
        raise AssertionError("read on")

    with pytest.raises(CommsArgumentError, match="headers"):
        make(rows(), partial(email, headers={"Reply-To": "x"}))


def test_half_of_a_surrogate_pair_in_a_later_row_is_named_by_that_row(make):
    with pytest.raises(CommsArgumentError, match=r"half of a surrogate pair.* row 3\."):
        make([*people(2), {"address": "kim@example.com", "name": "Kim \ud83d"}])


def test_every_request_is_checked_before_the_first_is_sent(make):
    with pytest.raises(CommsArgumentError, match=r"row 6\.") as refused:
        make([*people(4), "p1@example.com", "canary kim@example.com"], chunk_size=2)
    assert "canary" not in str(refused.value)


def test_a_change_changes_the_content_of_its_request_and_of_those_after_it(make):
    first = make(people(5), chunk_size=2).contents

    def unchanged(*args, **kwargs):
        later = make(*args, **{"chunk_size": 2, **kwargs}).contents
        return [before == after for before, after in zip(first, later, strict=False)]

    assert unchanged(people(5)) == [True, True, True]
    assert unchanged(people(6)) == [True, True, False]
    assert unchanged(people(4)) == [True, True]
    moved = people(5)
    moved.append(moved.pop(2))
    assert unchanged(moved) == [True, False, False]
    assert not any(unchanged(people(5), chunk_size=3))
    assert not any(unchanged(people(5), partial(email, subject="Ho")))


def test_messages_too(make):
    made = make(["+1 415 555 0100", "+14155550100"], partial(MessageSend, text="Hi"), Resource.MESSAGES)
    assert made.chunks.recipients == 1


def test_keys_tell_task_instances_and_requests_apart():
    keys = {default_send_key("d", "r", "t", index) for index in (-1, 0, 1)} | {default_send_key("d", "r", "u", 0)}
    digests = {send_digest(key, number) for key in keys for number in (1, 2)}
    assert len(digests) == 8
    assert all(len(one) == 32 for one in digests)

"""The chain of pages, and what of them is handed out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsArgumentError, CommsProtocolError, CommsRecordError, ErrorContext
from airflow_provider_comms.comms.listing.in_turn import MAX_EMPTY_PAGES, PageIterator
from airflow_provider_comms.comms.listing.query import OVERLAP, query_of
from airflow_provider_comms.comms.listing.results import Results, SeenIds, check_retention
from airflow_provider_comms.comms.models import Operations, Page, UnreadableRecord
from airflow_provider_comms.comms.resource import Resource

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AWKWARD = "eyJ+/w==/+a b&c=%2B"


def operations(*ids: str) -> Operations:
    same = {"status": "COMPLETED", "stats": {}, "createdAt": NOON, "updatedAt": NOON}
    records = [{"id": one, **same} for one in ids]
    return Operations.of_records(Resource.EMAILS, records, lambda _, reason: pytest.fail(str(reason)))


NOTHING = operations()


def unreadable(name: str | None) -> UnreadableRecord:
    context = ErrorContext(resource="emails", operation_id=name)
    return UnreadableRecord(name, CommsRecordError(f"The record of {name} cannot be read: stats is missing.", context))


BAD = unreadable("comms_operation_1")


def page(*ids: str, then: str | None = None) -> Page:
    return Page(operations(*ids), then, records=len(ids))


def chain(**filters) -> PageIterator:
    return PageIterator(query_of("emails", **filters), "here")


def taken(results: Results, *pages: Page) -> list[str]:
    return [operation.id for each in pages for operation in results.take(each)]


def test_the_first_request_has_no_token():
    assert "pageToken" not in dict(chain().request.query)


def test_every_filter_goes_with_every_token():
    pages = chain(start_date=NOON, status="COMPLETED", page_size=7)
    first = dict(pages.request.query)
    for token in ("t1", "t2", AWKWARD):
        pages.consume(page("a", then=token))
        assert dict(pages.request.query) == first | {"pageToken": token}


def test_more_is_asked_for_than_the_window():
    request = chain(start_date=NOON, end_date=NOON + timedelta(hours=1)).request
    asked = {name: datetime.fromisoformat(value) for name, value in request.query if name.endswith("Date")}
    assert asked == {"startDate": NOON - OVERLAP, "endDate": NOON + timedelta(hours=1) + OVERLAP}


@pytest.mark.parametrize("last", [page("b"), page()])
def test_the_chain_ends_with_a_page_that_names_no_next(last):
    pages = chain()
    pages.consume(page("a", then="t1"))
    pages.consume(last)
    assert pages.request is None
    assert pages.pages == 2


def test_an_empty_page_with_a_next_is_not_the_end():
    pages = chain()
    for token in ("t1", "t2"):
        pages.consume(page(then=token))
        assert pages.request is not None


@pytest.mark.parametrize("circle", [["t1", "t1"], ["t1", "t2", "t1"], [AWKWARD, "t1", "t2", AWKWARD]])
def test_a_token_that_was_given_before_is_a_pagination_loop(circle):
    pages = chain()
    for token in circle[:-1]:
        pages.consume(page("a", then=token))
    with pytest.raises(CommsProtocolError, match="pagination loop") as caught:
        pages.consume(page("a", then=circle[-1]))
    assert pages.pages == len(circle)
    assert not any(token in repr(caught.value) + str(caught.value) for token in circle)


def test_empty_pages_without_end_are_an_error():
    pages = chain()
    for number in range(MAX_EMPTY_PAGES - 1):
        pages.consume(page(then=f"t{number}"))
    with pytest.raises(CommsProtocolError, match="does not end: 100 empty pages in a row"):
        pages.consume(page(then="one more"))


@pytest.mark.parametrize(
    "found", [page("a", then="found"), Page(NOTHING, "found", records=1), Page(NOTHING, "found", (BAD,))]
)
def test_what_was_found_is_no_empty_page_whether_it_is_handed_out_or_not(found):
    pages = chain()
    for number in range(3 * MAX_EMPTY_PAGES):
        pages.consume(page(then=f"t{number}") if number % MAX_EMPTY_PAGES else replace(found, next_token=f"t{number}"))
    assert pages.request is not None


def test_what_comes_again_is_dropped_within_a_page_and_between_pages():
    assert taken(Results(query_of("emails")), page("a", "b", "a"), page("b", "c"), page("c")) == ["a", "b", "c"]


@pytest.mark.parametrize("strict", [True, False])
def test_a_list_with_nothing_unreadable_has_nothing_to_report(caplog, strict):
    results = Results(query_of("emails", strict=strict))
    results.take(page("a"))
    results.report()
    assert not caplog.messages


def test_unreadable_records_are_reported_once_with_their_number_and_some_of_their_faults(caplog):
    results = Results(query_of("emails"))
    again = [BAD, unreadable("comms_operation_2"), BAD]
    others = [unreadable(f"comms_operation_{n}") for n in range(3, 1300)]
    assert taken(results, Page(operations("a"), unreadable=(*again,)), Page(NOTHING, unreadable=(*others,))) == ["a"]
    assert not caplog.messages
    results.report()
    [warning] = caplog.messages
    assert warning.startswith("1,299 unreadable records are not in this list of emails operations. The record of ")
    assert "comms_operation_1 cannot be read: stats is missing." in warning
    assert "comms_operation_5 cannot" in warning
    assert "comms_operation_6" not in warning


def test_unreadable_records_are_an_error_at_the_end_of_a_strict_listing():
    results = Results(query_of("emails", strict=True))
    results.take(Page(NOTHING, unreadable=(BAD, unreadable(None))))
    with pytest.raises(CommsRecordError, match=r"^2 unreadable records are not in this list of emails") as caught:
        results.report()
    assert caught.value.context == ErrorContext(resource="emails")


@pytest.mark.parametrize(
    ("window", "named"),
    [
        ({}, None),
        ({"start_date": NOON - timedelta(days=7)}, None),
        ({"end_date": NOON}, None),
        ({"start_date": NOON + timedelta(days=300)}, None),
        ({"start_date": NOON - timedelta(days=7, minutes=2)}, ["start_date=2026-11-13T11:58:00+00:00: Twilio keeps"]),
        ({"end_date": NOON - timedelta(days=8)}, ["end_date=2026-11-12"]),
        ({"start_date": NOON - timedelta(days=9), "end_date": NOON - timedelta(days=8)}, ["start_date=", "end_date="]),
    ],
)
def test_a_window_beyond_the_retention_is_a_warning_or_an_error(caplog, window, named):
    check_retention(query_of("emails", **window), NOON, "here")
    strict = query_of("emails", strict=True, **window)
    if named is None:
        assert not caplog.messages
        check_retention(strict, NOON, "here")
        return
    [warning] = caplog.messages
    assert all(text in warning for text in named)
    with pytest.raises(CommsArgumentError, match="Twilio keeps operations for 7 days"):
        check_retention(strict, NOON, "here")


@given(st.lists(st.one_of(st.text(max_size=3), st.integers(0, 50).map(str)), max_size=300), st.integers(0, 5))
def test_seen_ids_are_a_set(texts, in_set):
    seen, known = SeenIds(in_set), set()
    for text in texts:
        assert seen.add(text) is (text not in known)
        known.add(text)


@given(st.lists(st.lists(st.integers(0, 30).map(str), max_size=6), max_size=30), st.integers(0, 40))
def test_several_are_noted_at_once_if_all_of_them_are_new(pages, in_set):
    seen, known = SeenIds(in_set), set()
    for texts in pages:
        at_once = seen.add_new(texts)
        assert not at_once or known.isdisjoint(texts)
        assert at_once or [seen.add(text) for text in dict.fromkeys(texts)] == [
            text not in known for text in dict.fromkeys(texts)
        ]
        known |= {*texts}


def test_seen_ids_are_a_set_with_many_texts_too():
    """Some 12 digests to a bucket."""
    seen = SeenIds(in_set=1000)
    texts = [f"comms_operation_{number:030}" for number in range(50_000)]
    assert all(seen.add(text) for text in texts)
    assert not any(seen.add(text) for text in texts)

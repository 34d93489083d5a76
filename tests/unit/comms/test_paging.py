"""The walk from page to page, and the memory of what was seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsProtocolError
from airflow_provider_comms.comms.listing.pages import PageIterator, SeenIds
from airflow_provider_comms.comms.listing.query import query_of
from airflow_provider_comms.comms.models import EmailOperation, Page

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AWKWARD = "eyJ+/w==/+a b&c=%2B"


def operation(name: str) -> EmailOperation:
    return EmailOperation(id=name, status="COMPLETED", stats={}, created_at=NOON, updated_at=NOON)


def page(*ids: str, then: str | None = None) -> Page:
    return Page(tuple(map(operation, ids)), then, records=len(ids))


def walk(**filters) -> PageIterator:
    return PageIterator(query_of("emails", **filters), SeenIds(), "here")


def accepted(one: PageIterator, *pages: Page) -> list[str]:
    return [operation.id for each in pages for operation in one.accept(each)]


def test_the_first_request_has_no_token():
    assert "pageToken" not in dict(walk().request.query)


def test_every_filter_goes_with_every_token():
    one = walk(start_date=NOON, status="COMPLETED", page_size=7)
    first = dict(one.request.query)
    for token in ("t1", "t2", AWKWARD):
        one.accept(page("a", then=token))
        assert dict(one.request.query) == first | {"pageToken": token}


@pytest.mark.parametrize("last", [page("b"), page(), page("b", "c")])
def test_the_walk_ends_with_a_page_that_names_no_next(last):
    one = walk()
    one.accept(page("a", then="t1"))
    one.accept(last)
    assert one.request is None
    assert one.pages == 2


def test_an_empty_page_with_a_next_is_not_the_end():
    one = walk()
    assert accepted(one, page(then="t1"), page(then="t2"), page("a")) == ["a"]


def test_what_comes_again_is_dropped_within_a_page_and_between_pages():
    assert accepted(walk(), page("a", "b", "a", then="t1"), page("b", "c"), page("c")) == ["a", "b", "c"]


def test_walks_that_share_their_memory_share_their_duplicates():
    seen = SeenIds()
    one, two = (PageIterator(query_of("emails"), seen, "here") for _ in range(2))
    assert accepted(one, page("a", "b")) == ["a", "b"]
    assert accepted(two, page("b", "c")) == ["c"]


@pytest.mark.parametrize("circle", [["t1", "t1"], ["t1", "t2", "t1"], [AWKWARD, "t1", "t2", AWKWARD]])
def test_a_token_that_was_given_before_is_a_circle(circle):
    one = walk()
    accepted(one, *(page("a", then=token) for token in circle[:-1]))
    with pytest.raises(CommsProtocolError, match="circle") as caught:
        one.accept(page("a", then=circle[-1]))
    assert one.pages == len(circle)
    assert not any(token in repr(caught.value) + str(caught.value) for token in circle)


@given(st.lists(st.one_of(st.text(max_size=3), st.integers(0, 50).map(str)), max_size=300))
def test_seen_is_a_set(texts):
    seen, known = SeenIds(), set()
    for text in texts:
        assert seen.add(text) is (text not in known)
        known.add(text)


def test_seen_is_a_set_with_many_texts_too():
    """Some 12 digests to a bucket, so that some are found across the border of two."""
    seen = SeenIds()
    texts = [f"comms_operation_{number:030}" for number in range(50_000)]
    assert all(seen.add(text) for text in texts)
    assert not any(seen.add(text) for text in texts)

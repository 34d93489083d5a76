"""Pages and their tokens."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.simulator import OperationPlan, Settings
from airflow_provider_comms.simulator.listing import Cursor, Filters, Tokens, make_page
from airflow_provider_comms.simulator.store import OperationStore, Position

NOW = 1_800_000_000_000
DONE, RUNNING = OperationPlan(processing_for=0), OperationPlan(processing_for=3600)
TOKENS = Tokens(b"secret")
UNFILTERED = Filters()
orders = st.sampled_from(["newest-first", "oldest-first", "shuffled"])
positions = st.none() | st.builds(Position, st.integers(0, 2**47), st.text(max_size=50))


def store_of(times, plan=DONE):
    store = OperationStore("emails", Random(1))
    store.add_many(plan, [NOW - time for time in times])
    return store


def walk(store, settings, filters=UNFILTERED, *, size=3, between=lambda: None, most=200):
    """Every page of a listing."""
    cursor, pages = Cursor(), []
    while cursor is not None and len(pages) < most:
        page = make_page(store.between, filters, cursor, size, settings=settings, now_ms=NOW)
        pages.append([json.loads(operation)["id"] for operation in page.entries])
        cursor = page.following
        between()
    return pages


def flat(pages):
    return [operation_id for page in pages for operation_id in page]


def all_ids(store, order="newest-first"):
    return flat(walk(store, Settings(order=order), size=1000))


@given(positions, st.integers(0, 10**6), st.text(max_size=20))
def test_a_token_is_awkward_base64_and_reads_back(position, blanks, listing):
    token = TOKENS.write(Cursor(position, blanks), listing)

    assert all(character in token for character in "+/=")
    assert base64.b64decode(token, validate=True)
    assert TOKENS.read(token, listing) == Cursor(position, blanks)


@given(positions, st.text(max_size=20), st.text(max_size=20))
def test_a_token_is_of_no_use_in_another_listing(position, listing, other):
    read = TOKENS.read(TOKENS.write(Cursor(position), listing), other)

    assert (read is not None) == (listing == other)


@pytest.mark.parametrize("token", ["", "=", "a", "é", "AAAA", "+//+", "A" * 40, "x" * 10_000])
def test_what_is_no_token_reads_as_none(token):
    assert TOKENS.read(token, "") is None


def test_a_token_of_another_simulator_reads_as_none():
    token = TOKENS.write(Cursor(), "")

    assert Tokens(b"another").read(token, "") is None


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 10), orders)
def test_pages_hold_everything_once_and_in_order(times, size, order):
    store = store_of(times)
    pages = walk(store, Settings(order=order), size=size)
    ids = flat(pages)

    assert len(ids) == len(set(ids)) == len(times)
    if order != "shuffled":
        assert ids == sorted(ids, reverse=order == "newest-first")
    assert all(len(page) == size for page in pages[:-1])
    assert 0 < len(pages[-1]) <= size or not times


@given(st.lists(st.integers(0, 30), max_size=30), st.lists(st.integers(0, 30), max_size=30), orders)
def test_what_was_there_at_first_comes_once_although_more_is_added(times, added, order):
    store, rest = store_of(times), iter(added)
    at_first = all_ids(store, order)

    ids = flat(walk(store, Settings(order=order), between=lambda: [store.add(DONE, NOW - m) for m in [next(rest, 0)]]))

    assert [operation_id for operation_id in ids if operation_id in set(at_first)] == at_first


def test_shuffled_is_no_order_of_time():
    store = store_of(range(100))
    steps = list(pairwise(all_ids(store, "shuffled")))

    assert 30 < sum(earlier > later for earlier, later in steps) < 70


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_creation_bounds(times, begin, end):
    store = store_of(times)
    filters = Filters(begin_ms=NOW - begin, end_ms=NOW - end)

    assert len(flat(walk(store, Settings(), filters))) == sum(end < time <= begin for time in times)


@given(
    st.lists(st.tuples(st.integers(0, 9000), st.sampled_from([DONE, RUNNING])), max_size=30),
    st.sampled_from(["SCHEDULED", "PROCESSING", "COMPLETED"]),
    orders,
)
def test_a_status_filter_keeps_just_those(operations, status, order):
    store = OperationStore("emails", Random(1))
    for age, plan in operations:
        store.add(plan, NOW - age * 1000)
    wanted = [
        plan for age, plan in operations if ("COMPLETED" if plan is DONE or age >= 3600 else "PROCESSING") == status
    ]

    assert len(flat(walk(store, Settings(order=order), Filters(status=status)))) == len(wanted)


def test_what_is_yet_to_be_created_is_not_listed():
    assert flat(walk(store_of([-1, 0, 1]), Settings())) == flat(walk(store_of([-1, 0, 1]), Settings()))[:2]


def test_empty_pages_come_before_full_ones_only_where_something_is_filtered():
    store, settings = store_of(range(5)), Settings(empty_pages=True)

    assert [len(page) for page in walk(store, settings, Filters(status="COMPLETED"))] == [0, 3, 0, 2]
    assert [len(page) for page in walk(store, settings)] == [3, 2]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_repeat_at_seam_shows_the_last_of_a_page_again_and_still_ends(size):
    store = store_of(range(7))
    pages = walk(store, Settings(repeat_at_seam=True), size=size)

    assert sorted(set(flat(pages)), reverse=True) == all_ids(store)
    if size > 1:
        assert all(page[-1] == following[0] for page, following in pairwise(pages))

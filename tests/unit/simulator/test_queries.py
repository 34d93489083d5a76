"""How a listing's query is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.simulator import Settings
from airflow_provider_comms.simulator.clock import EPOCH
from airflow_provider_comms.simulator.listing import Filters, Listing, Tokens
from airflow_provider_comms.simulator.queries import OperationsQuery
from airflow_provider_comms.simulator.responses import BadRequest
from airflow_provider_comms.simulator.store import OperationStore

TOKENS = Tokens(b"secret")
BASE = datetime(2026, 1, 1, tzinfo=UTC)


def read(query, resource="messages", **settings):
    try:
        query = OperationsQuery.read(query)
        return Listing(resource, query, Settings(**settings), TOKENS), []
    except BadRequest as refused:
        return None, [problem.context for problem in refused.problems]


def test_an_empty_query():
    query, problems = read({})

    assert problems == []
    assert query.size == 50
    assert query.filters == Filters()


def test_every_problem_is_listed():
    query = {"startDate": "x", "endDate": "y", "status": "z", "pageSize": "0", "pageToken": "w", "other": "v"}

    assert sorted(read(query)[1]) == ["$.endDate", "$.pageSize", "$.startDate", "$.status"]


@pytest.mark.parametrize("size", ["0", "1001", "-1", "", "1.0", "1e2", "٣", " 5", "9" * 30])
def test_bad_page_sizes(size):
    assert read({"pageSize": size})[1] == ["$.pageSize"]


@pytest.mark.parametrize("size", ["1", "1000", "050"])
def test_good_page_sizes(size):
    query, _ = read({"pageSize": size})

    assert query.size == int(size)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00 02:00",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:30:00Z",
        "0000-01-01T00:00:00Z",
        "1767225600",
    ],
)
def test_bad_dates(date):
    assert read({"startDate": date})[1] == ["$.startDate"]


@pytest.mark.parametrize(
    "date",
    ["2026-01-01T00:00:00Z", "2026-01-01t00:00:00.1234567z", "2026-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"],
)
def test_good_dates(date):
    assert read({"startDate": date})[1] == []


@given(st.integers(-3000, 3000), st.integers(-3, 3), st.booleans())
def test_bounds_leave_out_or_take_in_the_very_moment(micros, created, inclusive):
    bound = BASE + timedelta(microseconds=micros)
    moment = BASE + timedelta(milliseconds=created)
    created_ms = (moment - EPOCH) // timedelta(milliseconds=1)

    since, _ = read({"startDate": bound.isoformat()}, inclusive_bounds=inclusive)
    until, _ = read({"endDate": bound.isoformat()}, inclusive_bounds=inclusive)

    assert (created_ms >= since.filters.begin_ms) == (moment >= bound if inclusive else moment > bound)
    assert (created_ms < until.filters.end_ms) == (moment <= bound if inclusive else moment < bound)


def test_a_token_goes_with_its_filters_but_with_any_page_size():
    first, _ = read({"status": "COMPLETED"})
    token = json.loads(first.to_json(OperationStore("messages", Random(1)).between, 0))["pagination"]["self"]

    assert read({"status": "COMPLETED", "pageToken": token, "pageSize": "7"})[1] == []
    assert read({"status": "CANCELED", "pageToken": token})[1] == ["$.pageToken"]
    assert read({"pageToken": token})[1] == ["$.pageToken"]
    assert read({"status": "COMPLETED", "pageToken": token}, "emails")[1] == ["$.pageToken"]

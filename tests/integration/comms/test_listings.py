"""Lists over real pages: whole, once each, with every habit that the API may have."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pendulum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.comms.errors import (
    CommsArgumentError,
    CommsProtocolError,
    CommsRecordError,
    CommsServerError,
)
from airflow_provider_comms.simulator import Simulator

HABITS = {
    "newest first": {},
    "oldest first": {"order": "oldest-first"},
    "shuffled": {"order": "shuffled"},
    "inclusive bounds": {"inclusive_bounds": True},
    "empty pages": {"empty_pages": True},
    "repeats at the seam": {"repeat_at_seam": True},
    "no next at the end": {"omit_next": True},
    "all": {"inclusive_bounds": True, "empty_pages": True, "repeat_at_seam": True, "omit_next": True},
}
habits = pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS)


def ids_of(operations) -> list[str]:
    ids = [operation.id for operation in operations]
    assert len(ids) == len(set(ids))
    return ids


def filled(simulator: Simulator) -> None:
    """Two days of operations, most of them within one hour, some within one second."""
    simulator.seed("emails", 100, spread=2 * 86_400)
    simulator.seed("emails", 150, spread=3600, until=simulator.now - timedelta(hours=20))
    simulator.seed("emails", 50, spread=0.5, until=simulator.now - timedelta(hours=30))


@habits
def test_parallel_lists_the_same_as_one_chain(client, simulator, habit):
    filled(simulator)
    simulator.change_settings(**habit)
    windows = (
        {},
        {"start_date": simulator.now - timedelta(hours=31), "end_date": simulator.now - timedelta(hours=1)},
    )
    for window in windows:
        one = ids_of(client.list("emails", page_size=25, **window))
        many = ids_of(client.list("emails", page_size=25, parallel=8, **window))
        assert sorted(many) == sorted(one)
        assert one
    assert len(ids_of(client.list("emails"))) == 300


@pytest.mark.parametrize("written", [pendulum.instance, datetime.isoformat], ids=["pendulum", "ISO 8601"])
@pytest.mark.parametrize("parallel", [1, 8])
def test_a_window_may_be_pendulums_as_airflow_hands_it_out_or_a_text(client, simulator, written, parallel):
    filled(simulator)
    start, end = simulator.now - timedelta(hours=31), simulator.now - timedelta(hours=1)

    listed = client.list("emails", start_date=written(start), end_date=written(end), parallel=parallel)

    assert sorted(ids_of(listed)) == sorted(ids_of(client.list("emails", start_date=start, end_date=end)))


@habits
@pytest.mark.parametrize("count", [0, 1, 5, 11])
def test_a_list_is_whole_at_every_length(client, simulator, habit, count):
    simulator.seed("messages", count, spread=60)
    simulator.change_settings(**habit)
    assert len(ids_of(client.list("messages", page_size=5))) == count


@pytest.fixture(scope="module")
def shared_simulator():
    with Simulator() as simulator:
        yield simulator


@settings(max_examples=20)
@given(
    ages=st.lists(st.one_of(st.integers(0, 600_000).map(float), st.floats(0, 5), st.just(60.0)), max_size=25),
    habit=st.sampled_from([*HABITS.values()]),
    parallel=st.integers(2, 9),
    page_size=st.integers(1, 7),
    hours=st.sampled_from([None, 1, 90]),
)
def test_parallel_never_loses_or_doubles_an_operation(
    *, shared_simulator, settings_for, ages, habit, parallel, page_size, hours
):
    shared_simulator.reset()
    shared_simulator.change_settings(**habit)
    for age in ages:
        shared_simulator.add_operation("emails", age=age)
    window = {} if hours is None else {"start_date": shared_simulator.now - timedelta(hours=hours)}
    with CommsClient(settings_for(shared_simulator)) as client:
        one = ids_of(client.list_operations("emails", page_size=page_size, **window))
        many = ids_of(client.list_operations("emails", page_size=page_size, parallel=parallel, **window))
    assert sorted(one) == sorted(many)


def test_one_chain_keeps_the_order_of_the_api(client, simulator):
    simulator.seed("emails", 30)
    created = [operation.created_at for operation in client.list("emails", page_size=7)]
    assert created == sorted(created, reverse=True)


def test_a_status_is_filtered_by(client, simulator):
    done = [simulator.add_operation(age=100) for _ in range(3)]
    simulator.add_operation(scheduled_for=1000)
    assert sorted(ids_of(client.list("emails", status="COMPLETED"))) == sorted(done)
    assert all(request.query["status"] == "COMPLETED" for request in simulator.requests)


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("limit", [1, 9, 10, 11, 30, 31])
def test_no_more_than_the_limit(client, simulator, limit, parallel):
    simulator.seed("emails", 30)
    found = ids_of(client.list("emails", page_size=10, limit=limit, parallel=parallel))
    assert len(found) == min(limit, 30)


def test_pages_beyond_the_limit_are_not_asked_for(client, simulator):
    simulator.seed("emails", 50)
    client.list("emails", page_size=10, limit=20)
    assert len(simulator.requests) == 2


def test_pages_are_as_large_as_asked_for(client, simulator):
    simulator.seed("emails", 30)
    client.list("emails", page_size=7)
    assert {request.query["pageSize"] for request in simulator.requests} == {"7"}
    assert len(simulator.requests) == 5


def test_a_circle_of_tokens_is_an_error_and_no_endless_list(client, simulator):
    simulator.seed("emails", 50)
    simulator.change_settings(loop_tokens=True)
    with pytest.raises(CommsProtocolError, match="pagination loop"):
        client.list("emails", page_size=10)
    assert len(simulator.requests) <= 4


@pytest.mark.parametrize("parallel", [1, 6])
def test_an_error_on_a_later_page_ends_the_list_and_leaves_nothing_running(
    make_client, settings_for, simulator, parallel, eventually
):
    simulator.seed("emails", 200)
    simulator.fault(500, skip=5)
    client = make_client(settings_for(simulator, attempts=1))
    with pytest.raises(CommsServerError):
        client.list("emails", page_size=5, parallel=parallel)
    eventually(lambda: simulator.request_counts()["in_flight"] == 0)
    asked = len(simulator.requests)
    simulator.clear_faults()
    assert client.list("emails", limit=1)
    assert len(simulator.requests) == asked + 1


def has_gone_quiet(simulator):
    """A sync listing that is left is closed by the loop's own thread, some requests later."""
    asked = len(simulator.requests)
    time.sleep(0.2)
    return len(simulator.requests) == asked and simulator.request_counts()["in_flight"] == 0


@pytest.mark.parametrize("parallel", [1, 6])
def test_a_list_left_early_leaves_nothing_running(client, simulator, parallel, eventually):
    simulator.seed("emails", 200)
    simulator.change_settings(latency=0.02)
    assert len(client.take(3, "emails", page_size=5, parallel=parallel)) == 3
    eventually(lambda: has_gone_quiet(simulator))
    asked = len(simulator.requests)
    simulator.change_settings(latency=0)
    client.get("emails", client.list("emails", limit=1)[0].id)
    assert len(simulator.requests) == asked + 2


def test_nothing_is_asked_before_the_first_is_taken(client, simulator):
    client.begin_listing("emails")
    assert simulator.requests == ()


def test_a_list_under_a_rate_limit_slows_down_and_comes_whole(make_client, settings_for, simulator):
    simulator.seed("emails", 200)
    simulator.change_settings(rate_limit=30)
    client = make_client(settings_for(simulator, attempts=10, backoff_base=0.05))
    assert len(ids_of(client.list("emails", page_size=10, parallel=8))) == 200
    assert simulator.request_counts()["by_status"]["200"] > 3 * simulator.request_counts()["by_status"].get("429", 0)


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("inclusive", [True, False])
def test_an_operation_on_a_boundary_is_in_the_window_that_begins_there(client, simulator, inclusive, parallel):
    simulator.change_settings(inclusive_bounds=inclusive)
    noon = simulator.now.replace(microsecond=0) - timedelta(hours=20)
    edges = [noon + timedelta(hours=hours) for hours in range(4)]
    created = [edge + timedelta(milliseconds=ms) for edge in edges for ms in (-1, 0, 1)]
    ids = [simulator.add_operation("emails", created_at=at) for at in created]
    found = [
        ids_of(client.list("emails", start_date=start, end_date=end, page_size=2, parallel=parallel))
        for start, end in pairwise(edges)
    ]
    assert [sorted(window) for window in found] == [sorted(ids[1 + 3 * n : 4 + 3 * n]) for n in range(3)]


@pytest.mark.parametrize("parallel", [1, 4])
def test_a_record_that_cannot_be_read_is_left_out_and_told_of_at_the_end(client, simulator, caplog, parallel):
    simulator.seed("emails", 40)
    odd = [simulator.add_operation("emails", raw_fields={"updatedAt": None}) for _ in range(7)]
    with caplog.at_level("WARNING", "airflow_provider_comms"):
        assert len(ids_of(client.list("emails", page_size=5, parallel=parallel))) == 40
    [warning] = caplog.messages
    assert warning.startswith("7 unreadable records are not in this list of emails operations.")
    assert sum(name in warning for name in odd) == 5
    assert "updatedAt is null, not a date and time" in warning


def test_a_strict_listing_hands_out_what_it_can_and_ends_with_an_error(client, simulator):
    simulator.seed("emails", 40)
    odd = simulator.add_operation("emails", raw_fields={"stats": None})
    assert len(ids_of(client.take(40, "emails", page_size=5, strict=True))) == 40
    with pytest.raises(CommsRecordError, match=f"{odd} cannot be read: stats is null"):
        client.list("emails", page_size=5, strict=True)


def test_an_operation_created_at_the_beginning_of_time_is_listed(client, simulator):
    odd = simulator.add_operation("emails", raw_fields={"createdAt": "0001-01-01T00:00:00Z"})
    assert ids_of(client.list("emails")) == ids_of(client.list("emails", parallel=4)) == [odd]


@pytest.mark.parametrize("arguments", [{}, {"limit": 1}, {"parallel": 4}, {"status": "COMPLETED"}], ids=str)
def test_empty_pages_without_end_are_an_error(client, simulator, arguments):
    simulator.change_settings(endless_pages=True)
    with pytest.raises(CommsProtocolError, match="100 empty pages in a row"):
        client.list("emails", **arguments)
    assert len(simulator.requests) <= 4 * 100


def test_a_window_beyond_the_retention_is_warned_of_once_and_refused_by_choice(client, simulator, caplog):
    simulator.seed("emails", 30)
    window = {"start_date": datetime.now(UTC) - timedelta(days=10), "page_size": 10}
    assert len(client.list("emails", **window)) == 30
    assert sum("Twilio keeps operations for 7 days" in message for message in caplog.messages) == 1
    asked = len(simulator.requests)
    with pytest.raises(CommsArgumentError, match="Twilio keeps operations for 7 days"):
        client.list("emails", strict=True, **window)
    assert len(simulator.requests) == asked

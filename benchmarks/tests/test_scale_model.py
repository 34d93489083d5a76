"""The model behind docs/scale.md, in numbers that one can check by hand."""

from __future__ import annotations

from math import inf

import pytest

from airflow_provider_comms.polling import lists, status_scan
from benchmarks.scale import costs, model
from benchmarks.scale.airflow_share import MOST_EVENTS_AT_ONCE, AirflowShare
from benchmarks.scale.model import Load, Poll, cycle
from benchmarks.scale.page import airflow_table, poll_table


def standing(waits, **fields):
    """A load in which nothing ends or begins."""
    return Load(**{"waits": waits, "joining": False, "lasts": inf, **fields})


def test_the_model_knows_what_the_poll_takes_for_few():
    assert (model.MIN_IDS_TO_LIST, model.MIN_HITS_PER_PAGE) == (
        status_scan.MIN_IDS_TO_LIST,
        lists.MIN_HITS_PER_PAGE,
    )


@pytest.mark.parametrize(
    ("waits", "requests"),
    [
        (3, 3),  # A fetch each.
        (4, 1 + 1 + 1),  # A page of PROCESSING, one of SCHEDULED, a spot check.
        (1_000, 1 + 1 + 1),
        (10_000, 10 + 1 + 1),  # As `ten_thousand_waits` measures.
    ],
)
def test_a_cycle_costs_a_request_for_each_thousand(waits, requests):
    assert cycle(standing(waits), waits, 60).requests == pytest.approx(requests)


def test_who_has_ended_is_fetched_if_few():
    load = Load(waits=1_000, lasts=6_000)
    found = cycle(load, sees=1_000, since=60)
    assert found.ended == 0
    assert found.fetches == 1 + 10


def test_who_has_ended_is_listed_if_a_page_tells_of_many():
    """A thousand have ended in all: one page shows them, and a page of CANCELED nothing."""
    found = cycle(Load(waits=1_000, lasts=600), sees=1_000, since=60)
    assert found.ended == pytest.approx(2)
    assert found.fetches == pytest.approx(1)


def test_others_are_listed_as_far_as_they_are_in_the_window():
    hour = 3600.0
    load = {"waits": 1_000, "lasts": hour, "others": 10_000, "others_over": 10 * hour}
    assert cycle(Load(**load, joining=False), 1_000, 60).pending == 3 + 1
    assert cycle(Load(**load, joining=True), 1_000, 60).pending == 11 + 1


def test_each_is_fetched_where_the_list_is_longer_than_that():
    assert cycle(standing(10, others=20_000, joining=True), sees=10, since=60) == model.Cycle(sees=10, fetches=10)


def test_each_triggerer_lists_all():
    one, ten = (Poll(standing(100_000, triggerers=number)) for number in (1, 10))
    assert one.cycle.requests == ten.cycle.requests == pytest.approx(102)
    assert ten.requests_per_second == pytest.approx(10 * one.requests_per_second)


def test_a_cycle_delays_the_next_one_by_what_it_takes():
    poll = Poll(standing(10_000))
    assert poll.cycle.seconds == pytest.approx(costs.ANSWER * (11 + 1 / costs.IN_FLIGHT))
    assert poll.round == 60 + poll.cycle.seconds


def test_a_cycle_blocks_the_loop_for_each_wait_in_it():
    assert cycle(standing(100_000), 100_000, 60).blocks_loop == pytest.approx(0.25)


def test_a_poll_for_each_asks_for_each():
    assert Poll(Load(waits=6_000, poke_interval=60)).peer_requests_per_second == 100


def test_memory_is_that_of_tasks_and_of_their_further_ids():
    empty = costs.EMPTY_TRIGGERER
    assert Poll(Load(waits=1_000)).memory == empty + 1_000 * costs.TASK_MEMORY
    many = Poll(Load(waits=1_000, ids_per_task=100)).memory
    assert many == empty + 10 * costs.TASK_MEMORY + 990 * costs.ID_MEMORY


def test_airflow_has_two_rows_and_two_worker_starts_for_each_task():
    load = {"waits": 3_600, "lasts": 3_600}
    assert AirflowShare(Load(**load)).rows == 7_200
    assert AirflowShare(Load(**load)).starts_per_second == 2
    assert AirflowShare(Load(**load, ids_per_task=100)).rows == 72
    assert AirflowShare(Load(**load, in_triggerer=True)).starts_per_second == 0


def test_each_triggerer_goes_through_the_rows_of_all():
    one, ten = (AirflowShare(Load(waits=100_000, triggerers=number)) for number in (1, 10))
    assert one.query_seconds == ten.query_seconds == pytest.approx(0.15)
    assert ten.database_cores == pytest.approx(10 * one.database_cores, rel=0.1)


def test_statements_are_those_of_loops_events_and_workers():
    share = AirflowShare(Load(waits=3_600, lasts=3_600))
    loop = 1 + 0.0054 + 0.006 + 0.00288
    assert share.loop == pytest.approx(loop)
    assert share.statements_per_second == pytest.approx(7 / loop + 2 / 5 + 1 / 15 + 6 + 2 * 19)
    assert share.transactions_per_second == pytest.approx(3 / loop + 1 / 5 + 1 / 15 + 1 + 2 * 6)


def test_so_many_may_end_at_once():
    assert MOST_EVENTS_AT_ONCE == 3_750


@pytest.mark.parametrize("table", [poll_table(), airflow_table()])
def test_tables_are_tables(table):
    assert len({line.count("|") for line in table}) == 1

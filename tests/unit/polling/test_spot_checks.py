"""Which operations are fetched although a list shows them as pending."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from airflow_provider_comms.comms.models import EmailOperation
from airflow_provider_comms.polling.limits import PollLimits
from airflow_provider_comms.polling.spot_checks import SpotChecks

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def operation(status="PROCESSING", **stats):
    return EmailOperation(id="comms_operation_1", status=status, stats=stats, created_at=NOW, updated_at=NOW)


def still(number):
    return {f"comms_operation_{one}": operation() for one in range(number)}


def choices(checks, pending, polls):
    return [checks.choose(pending) for _ in range(polls)]


def test_of_few_one_is_checked_in_each_poll():
    assert [len(chosen) for chosen in choices(SpotChecks(PollLimits()), still(3), 30)] == [1] * 30


def test_who_stands_still_is_checked_within_forty_polls_and_then_more_and_more_seldom():
    checks, pending = SpotChecks(PollLimits()), still(2_000)
    first = choices(checks, pending, 40)
    assert set().union(*first) == set(pending)
    assert max(map(len, first)) <= 2_000 / 20 + 1
    later = choices(checks, pending, 320)[160:]
    assert sum(map(len, later)) <= 160 * (2_000 / 160 + 1)
    assert set().union(*later) == set(pending)


def test_who_moves_costs_nothing_but_one_check_a_poll():
    checks, cost = SpotChecks(PollLimits()), Counter()
    for poll in range(60):
        cost[len(checks.choose({one: operation(delivered=poll) for one in still(1_000)}))] += 1
    assert cost == {1: 60}


def test_a_list_that_was_found_to_lag_is_checked_twice_as_much_each_time():
    checks, pending, sizes = SpotChecks(PollLimits()), still(200), []
    for _ in range(6):
        chosen = checks.choose(pending)
        sizes.append(len(chosen))
        for one in chosen:
            checks.note(one, operation("COMPLETED"))
            del pending[one]
    assert sizes == [1, 2, 4, 8, 16, 32]


def test_two_groups_that_are_polled_in_turn_have_their_turns_each():
    checks = SpotChecks(PollLimits())
    one, other = ({name: seen for name, seen in still(2_000).items() if int(name[-1]) % 2 == odd} for odd in (0, 1))
    cost = [len(checks.choose(group)) for _ in range(10) for group in (one, other)]
    assert set(cost) == {1}


def test_nobody_is_remembered_who_is_not_waited_for():
    checks = SpotChecks(PollLimits())
    checks.choose(still(100))
    checks.forget_all_but({"comms_operation_1"})
    assert checks.choose({"comms_operation_1": operation()}) == ["comms_operation_1"]

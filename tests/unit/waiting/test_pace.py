"""When to look again."""

from __future__ import annotations

import pytest

from airflow_provider_comms.comms.models import EmailOperation
from airflow_provider_comms.waiting.pace import next_interval

NOW = 1_800_000_000.0


def operation(status="PROCESSING", moved=0.0, **stats):
    return EmailOperation(
        id="comms_operation_1", status=status, stats=stats, created_at=NOW - 10_000, updated_at=NOW - moved
    )


@pytest.mark.parametrize(
    ("seen", "seconds"),
    [
        (operation("SCHEDULED", recipients=10, scheduled=10), 240),
        (operation(recipients=100, queued=50), 60),
        (operation(recipients=100, queued=50, moved=301), 120),
        (operation(recipients=100, queued=10), 15),
        (operation(recipients=100, queued=10, moved=9999), 15),
        (operation("PAUSED", recipients=100, queued=90), 60),
        (operation(recipients=10**400, queued=5), 15),
    ],
)
def test_it_is_slow_while_nothing_moves_and_quick_near_the_end(seen, seconds):
    assert next_interval(60, [seen], NOW) == seconds


def test_the_quickest_of_several_sets_the_pace():
    slow, quick = operation("SCHEDULED"), operation(recipients=100, queued=1)
    assert next_interval(60, [slow, quick], NOW) == 15


@pytest.mark.parametrize(("interval", "least"), [(8, 5), (3, 3), (60, 15)])
def test_it_never_falls_below_the_floor(interval, least):
    assert next_interval(interval, [operation(recipients=100, queued=1)], NOW) == least


def test_before_anything_was_seen_it_is_the_interval():
    assert next_interval(60, [], NOW) == 60

"""The sums of a report."""

from __future__ import annotations

import json
import random
from datetime import timedelta

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.summary import OTHER, Summary
from tests.unit.reports.operations import START, WINDOW, operation, parts


def summed(operations, top=20):
    summary = Summary(Resource.EMAILS, WINDOW.buckets, top)
    for one in operations:
        summary.add(*parts(one))
    return summary


def test_nothing_summed_up_has_every_key_and_no_share():
    xcom = summed([]).as_json()

    assert xcom["operations"] == 0
    assert set(xcom["figures"].values()) == {0}
    assert set(xcom["rates"].values()) == {None}


def test_counters_figures_and_statuses_are_added_up():
    summary = summed(
        [
            operation(1, total=10, recipients=10, delivered=4, opened=6),
            operation(2, total=5, recipients=5, sent=5, delivered=5, opened=3),
            operation(3, "PROCESSING", total=5, recipients=5, queued=5),
        ]
    )

    assert summary.as_json()["stats"] == {
        "total": 20, "recipients": 20, "queued": 5, "sent": 5, "delivered": 9, "opened": 9,
    }  # fmt: skip
    assert (summary.figures["reached"], summary.figures["opened"], summary.figures["in_progress"]) == (15, 9, 5)
    assert summary.by_status == {"COMPLETED": 2, "PROCESSING": 1}
    assert summary.unfinished == 1


def test_each_hour_is_counted_apart():
    summary = summed([operation(n, at=START + timedelta(hours=n % 3)) for n in range(7)])

    assert [bucket["operations"] for bucket in summary.series][:4] == [3, 2, 2, 0]
    assert sum(bucket["reached"] for bucket in summary.series) == summary.figures["reached"]


def test_the_worst_are_those_with_the_greatest_share_whatever_the_order():
    operations = [operation(n, total=100, recipients=100, failed=n % 50, delivered=100 - n % 50) for n in range(200)]
    expected = [one.share for one in summed(operations, top=5).worst()]
    random.Random(1).shuffle(operations)

    worst = summed(operations, top=5).worst()

    assert [one.share for one in worst] == expected == [0.49, 0.49, 0.49, 0.49, 0.48]
    assert [one.id for one in worst] == [one.id for one in summed(reversed(operations), top=5).worst()]


def test_no_worst_are_kept_where_none_are_asked_for_or_nobody_was_missed():
    assert summed([operation(1)], top=0).worst() == []
    assert summed([operation(1, total=1, recipients=1, delivered=1)]).worst() == []


def test_names_from_outside_do_not_make_it_grow():
    strange = (operation(n, f"STATUS{n}", total=1, recipients=1, **{f"counter{n}": 1}) for n in range(500))
    summary = summed([*strange, operation(1, "X" * 5000)])

    assert len(json.dumps(summary.as_json())) < 2000
    assert sum(summary.by_status.values()) == 501
    assert summary.stats[OTHER] == 500 - 3


def test_absurd_counters_are_summed_up_and_stay_json():
    huge = 10**400
    summary = summed([operation(1, total=huge, recipients=huge, delivered=huge - 1, failed=1), operation(2)])

    assert summary.figures["recipients"] == huge + 10
    assert summary.rates()["reached_of_recipients"] == 0.9999
    assert "NaN" not in json.dumps(summary.as_json())

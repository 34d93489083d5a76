"""Which stretch of time a run reports on: its arguments, its partition, its data interval, or an error that helps."""

from __future__ import annotations

from itertools import pairwise

import pendulum
import pytest
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.tasks.report_window import window_of_run

BERLIN = "Europe/Berlin"


def at(text, timezone="UTC"):
    return pendulum.parse(text, tz=timezone)


def interval(start, end):
    return {"data_interval_start": start, "data_interval_end": end}


def daily(run_after):
    """The data interval of a run of a daily schedule in Berlin, as Airflow makes it."""
    found = CronDataIntervalTimetable("0 0 * * *", timezone=BERLIN).infer_manual_data_interval(run_after=run_after)
    return interval(found.start, found.end)


def test_arguments_win():
    context = {"partition_date": at("2026-11-19"), **interval(at("2026-11-18"), at("2026-11-19"))}

    window = window_of_run(context, "2026-11-20T06:00", "2026-11-20T09:00:00+02:00", BERLIN)

    assert (window.start, window.end) == (at("2026-11-20T05:00"), at("2026-11-20T07:00"))


@pytest.mark.parametrize(("start", "end"), [("2026-11-20", None), (None, "2026-11-20"), ("2026-11-20", "")])
def test_half_a_window_is_refused(start, end):
    with pytest.raises(CommsArgumentError, match="half a window"):
        window_of_run(interval(at("2026-11-18"), at("2026-11-19")), start, end, "UTC")


def test_a_partition_is_a_day_of_the_reports_zone():
    window = window_of_run({"partition_date": at("2026-11-20", BERLIN)}, None, None, BERLIN)

    assert (window.start, window.end) == (at("2026-11-19T23:00"), at("2026-11-20T23:00"))


def test_a_partition_that_is_no_day_of_the_zone_is_refused():
    with pytest.raises(CommsArgumentError, match="is not a day of Europe/Berlin"):
        window_of_run({"partition_date": at("2026-11-20")}, None, None, BERLIN)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-20", 24)], ids=["spring", "autumn", "winter"]
)
def test_a_day_is_as_long_as_its_clocks_make_it(day, hours):
    midnight = at(day, BERLIN)
    by_partition = window_of_run({"partition_date": midnight}, None, None, BERLIN)
    by_schedule = window_of_run(daily(midnight.add(days=1, hours=6)), None, None, BERLIN)

    assert (by_partition.end - by_partition.start).total_seconds() == hours * 3600
    assert by_schedule == by_partition


def test_runs_of_neighbouring_days_share_an_edge_and_nothing_else():
    days = [window_of_run(daily(at(f"2026-10-{day} 13:05", BERLIN)), None, None, BERLIN) for day in range(24, 29)]

    assert all(before.end == after.start for before, after in pairwise(days))
    assert all(one.is_whole_days for one in days)


@pytest.mark.parametrize(
    "context",
    [
        {},  # An asset, or a REST call without a logical date, started the run.
        interval(None, None),
        interval(at("2026-11-20T13:05"), at("2026-11-20T13:05")),  # A plain cron expression in Airflow 3.
    ],
    ids=["no interval", "none", "empty"],
)
def test_a_run_without_a_window_says_which_line_gives_it_one(context):
    with pytest.raises(CommsArgumentError, match="no data interval") as error:
        window_of_run(context, None, "", "UTC")

    assert 'schedule=CronDataIntervalTimetable("0 6 * * *", timezone="UTC")' in str(error.value)

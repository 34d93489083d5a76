"""A report's window: what its ends may be, and how it is cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.reports.window import window_of, window_since

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "timezone", "name"),
    [
        ("2026-11-20", "2026-11-21", "UTC", "20261120T000000Z_20261121T000000Z"),
        ("2026-11-20", "2026-11-21", "Europe/Berlin", "20261119T230000Z_20261120T230000Z"),
        ("2026-11-20T06:00:00+01:00", "2026-11-20T06:00:00Z", "Asia/Tokyo", "20261120T050000Z_20261120T060000Z"),
        (
            datetime(2026, 11, 20, tzinfo=UTC),
            pendulum.datetime(2026, 11, 21),
            "UTC",
            "20261120T000000Z_20261121T000000Z",
        ),
    ],
)
def test_ends_are_datetimes_or_texts_in_the_reports_zone(start, end, timezone, name):
    assert window_of(start, end, timezone).name == name


def test_what_leaves_the_calendar_in_the_reports_zone_is_refused():
    with pytest.raises(CommsArgumentError, match="is out of range"):
        window_of("2026-11-20", datetime.max.replace(tzinfo=UTC), "Asia/Tokyo")


@pytest.mark.parametrize("moment", [None, "", "now", "10:00", "None", "2026-13-01", 1, datetime(2026, 11, 20)])  # noqa: DTZ001
def test_what_is_not_a_point_in_time_is_refused(moment):
    with pytest.raises(CommsArgumentError, match="is not a point in time"):
        window_of(moment, "2026-11-21")


@pytest.mark.parametrize("end", ["2026-11-20", "2026-11-19T23:59:59"])
def test_an_empty_window_is_refused(end):
    with pytest.raises(CommsArgumentError, match="is empty"):
        window_of("2026-11-20", end)


def test_a_window_of_centuries_is_refused():
    with pytest.raises(CommsArgumentError, match="50 years"):
        window_of("1000-01-01", "9999-12-31")


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "", "../etc/passwd", None])
def test_an_unknown_zone_is_refused(timezone):
    with pytest.raises(CommsArgumentError, match="timezone="):
        window_of("2026-11-20", "2026-11-21", timezone)


@pytest.mark.parametrize(
    ("text", "length"), [("7d", timedelta(7)), (" 36H", timedelta(1.5)), ("90m", timedelta(hours=1.5))]
)
def test_durations(text, length):
    window = window_since(text, NOW)

    assert (window.start, window.end) == (NOW - length, NOW)


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-7d", "7 years", "1e3d", "9999999d"])
def test_what_is_not_a_duration_is_refused(text):
    with pytest.raises(CommsArgumentError, match="is not a duration"):
        window_since(text, NOW)


def test_a_duration_before_the_calendar_is_refused():
    with pytest.raises(CommsArgumentError, match="too far"):
        window_since("999999w", NOW)


@pytest.mark.parametrize(
    ("start", "end", "step", "count"),
    [
        ("2026-11-20", "2026-11-21", "hours", 24),
        ("2026-03-29", "2026-03-30", "hours", 23),  # The clocks go forward in Berlin,
        ("2026-10-25", "2026-10-26", "hours", 25),  # and back.
        ("2026-10-20", "2026-10-27", "days", 7),
        ("2026-10-20T12:00", "2026-10-27T12:00", "days", 8),
        ("2026-01-01", "2027-01-01", "months", 12),
        ("2000-01-01", "2026-01-01", "years", 26),
        ("2026-11-20T10:15", "2026-11-20T10:16", "hours", 1),
    ],
)
def test_buckets_are_as_fine_as_there_are_not_too_many(start, end, step, count):
    buckets = window_of(start, end, "Europe/Berlin").buckets

    assert (buckets.step, len(buckets)) == (step, count)
    assert len(set(buckets.labels())) == count


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 400 * 86_400),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]),
)
def test_every_time_of_the_window_is_in_the_bucket_that_its_clock_says(start, seconds, place, timezone):
    window = window_of(start, start + timedelta(seconds=seconds), timezone)
    moment = pendulum.instance(start + timedelta(seconds=int(seconds * place))).in_timezone(timezone)
    buckets = window.buckets

    assert buckets.beginnings[buckets.index(moment)] == moment.start_of(buckets.step[:-1])


def test_whole_days_are_those_of_the_zone():
    assert window_of("2026-11-20", "2026-11-22", "Europe/Berlin").is_whole_days
    assert not window_of("2026-11-20T00:00Z", "2026-11-22T00:00Z", "Europe/Berlin").is_whole_days


def test_what_twilio_keeps_is_seven_days():
    assert not window_since("7d", NOW).reaches_past_retention(NOW)
    assert window_since("8d", NOW).reaches_past_retention(NOW)

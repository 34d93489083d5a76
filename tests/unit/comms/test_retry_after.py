"""A Retry-After header in all of its forms, and what they come to."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_comms.comms.http.retry_after import MAX_RETRY_AFTER, parse_retry_after

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("3", 3.0),
        (" 3 ", 3.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("2.5", 2.5),
        ("007", 7.0),
        ("300", 300.0),
        ("3600", 300.0),
        ("86400", 300.0),
        ("9" * 300, 300.0),
        ("9" * 400, None),
        ("9" * 10_000, None),
        ("-" + "9" * 400, None),
        ("1e3", None),
        ("0x10", None),
        ("+3", None),
        ("1_000", None),
        ("3,5", None),
        ("3, 3", None),
        ("3 seconds", None),
        ("NaN", None),
        ("Infinity", None),
        ("soon", None),
        ("٣", None),
        ("\uff13", None),
        ("²", None),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:59:30 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2026 13:00:30 +0100", 30.0),
        ("Friday, 20-Nov-26 12:00:30 GMT", 30.0),
        ("Fri Nov 20 12:00:30 2026", 30.0),
        ("Fri, 20 Nov 2026 12:00:30 -0000", 30.0),
        ("Fri, 99 Nov 2026 12:00:30 GMT", None),
        ("Fri, 20 Nov 99999 12:00:30 GMT", None),
        ("Fri, 20 Nov 2026 12:00:30 +999999", None),
        ("2026-11-20T12:00:30Z", None),
    ],
)
def test_each_form_is_read_as_seconds_from_now_or_ignored(header, seconds):
    assert parse_retry_after(header, now=NOW) == seconds


@pytest.mark.parametrize("header", ["Fri Nov 20 12:00:30 2026", "Fri, 20 Nov 2026 12:00:30 -0000"])
def test_a_date_without_a_zone_is_gmt_wherever_the_task_runs(header, monkeypatch):
    monkeypatch.setitem(os.environ, "TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert parse_retry_after(header, now=NOW) == 30.0
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1)), st.floats(0, 4e9))  # noqa: DTZ001
def test_every_http_date_is_the_seconds_until_it_and_never_below_zero(moment, now):
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    wished = parse_retry_after(format_datetime(moment, usegmt=True), now=now)
    assert wished == pytest.approx(min(max(0.0, moment.timestamp() - now), MAX_RETRY_AFTER))


_date_like = st.lists(
    st.sampled_from(
        [
            "Fri,",
            "Nov",
            "20",
            "1",
            "99",
            "0",
            "2026",
            ":",
            ":00",
            "12:00:30",
            "GMT",
            "+0100",
            "-99999999",
            "EST",
            "-",
            "/",
            ".",
            ",",
        ]
    ),
    max_size=9,
).map(" ".join)


@given(st.one_of(st.text(), _date_like, st.from_regex(r"-?[0-9]{0,40}(\.[0-9]*)?", fullmatch=True)))
@example("Fri, 20 Nov 2026 12:00:30 +" + "9" * 30)
@example("1 Jan 1 00:00:00 +2359")
def test_any_text_gives_seconds_that_are_not_negative_or_nothing(header):
    wished = parse_retry_after(header, now=NOW)
    assert wished is None or 0.0 <= wished < float("inf")

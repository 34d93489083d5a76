"""Values on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta, timezone

import pytest

from airflow_provider_comms.cli.values import count, seconds, threshold, timestamp


def test_a_timestamp_without_an_offset_is_in_utc():
    assert timestamp("2026-11-21") == datetime(2026, 11, 21, tzinfo=UTC)
    assert timestamp("2026-11-21T04:30:00+01:00") == datetime(2026, 11, 21, 4, 30, tzinfo=timezone(timedelta(hours=1)))
    assert timestamp("2026-11-21T04:30:00Z") == datetime(2026, 11, 21, 4, 30, tzinfo=UTC)


def test_thresholds_are_numbers_or_percentages():
    assert threshold("failed=2%") == ("failed", "2%")
    assert threshold("undelivered=50") == ("undelivered", 50)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (timestamp, "yesterday"),
        (seconds, "0"),
        (seconds, "-1"),
        (seconds, "nan"),
        (seconds, "inf"),
        (seconds, "1e308"),
        (seconds, "31622401"),
        (count, "1" + "0" * 30),
        (count, "9" * 5000),
        (count, "1000000001"),
        (seconds, "soon"),
        (count, "-1"),
        (count, "1.5"),
        (threshold, "failed"),
        (threshold, "=2%"),
        (threshold, "failed="),
    ],
)
def test_what_cannot_be_meant_is_refused(read, text):
    with pytest.raises(ArgumentTypeError) as refused:
        read(text)
    if text:
        assert repr(text) in str(refused.value)

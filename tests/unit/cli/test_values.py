"""Values on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta, timezone

import pytest

from airflow_provider_comms.cli.values import count, limit, moment, seconds


def test_a_moment_without_a_zone_is_in_utc():
    assert moment("2026-11-21") == datetime(2026, 11, 21, tzinfo=UTC)
    assert moment("2026-11-21T04:30:00+01:00") == datetime(2026, 11, 21, 4, 30, tzinfo=timezone(timedelta(hours=1)))
    assert moment("2026-11-21T04:30:00Z") == datetime(2026, 11, 21, 4, 30, tzinfo=UTC)


def test_limits_are_numbers_or_shares():
    assert limit("failed=2%") == ("failed", "2%")
    assert limit("undelivered=50") == ("undelivered", 50)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (moment, "yesterday"),
        (seconds, "0"),
        (seconds, "-1"),
        (seconds, "nan"),
        (seconds, "inf"),
        (seconds, "soon"),
        (count, "-1"),
        (count, "1.5"),
        (limit, "failed"),
        (limit, "=2%"),
        (limit, "failed="),
    ],
)
def test_what_cannot_be_meant_is_refused(read, text):
    with pytest.raises(ArgumentTypeError) as refused:
        read(text)
    if text:
        assert repr(text) in str(refused.value)

"""How a moment is written: one form for the query, the XCom and the log."""

from __future__ import annotations

from datetime import UTC, datetime


def format_utc(moment: datetime) -> str:
    """
    Write a moment as ISO 8601 in UTC, such as `2026-11-21T04:26:44.120000Z`.

    :param moment: aware, in any zone; any subclass of datetime (pendulum's too).
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain_utc(moment: datetime) -> datetime:
    """
    Return the same time as a plain datetime in UTC, which compares and subtracts as one expects.

    Datetimes of one zone compare by the clock on the wall, which goes back in autumn; and pendulum's, which Airflow
    hands out, give differences that cannot be divided by a timedelta.

    :param moment: aware, in any zone; any subclass of datetime.
    """
    utc = moment.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, UTC)

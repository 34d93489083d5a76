"""The stretch of time that a report is about: read from texts, cut into days, hours or months, named for people."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import pendulum
from pendulum.parsing.exceptions import ParserError

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import RETENTION_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pendulum import DateTime, Duration, FixedTimezone, Timezone

_DURATION = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STEPS = ("hours", "days", "months")
"""How wide a bucket can be; the first is taken of which the window holds at most ..."""
_MAX_BUCKETS = 100
"""... so many."""
_LONGEST = timedelta(days=50 * 365.25)


@dataclass(frozen=True)
class Window:
    """
    A half-open stretch of time: what was created at `start` is in it, what was created at `end` is not.

    :param start: in the report's time zone.
    :param end: in the report's time zone.

    Made by :func:`window_of`, which checks it.
    """

    start: DateTime
    end: DateTime

    @property
    def timezone(self) -> str:
        """Name of the time zone that days and hours are of."""
        return self.start.timezone_name or "UTC"

    @property
    def name(self) -> str:
        """The window as part of a file's name, such as `20261120T000000Z_20261121T000000Z`."""
        return "_".join(_compact(one) for one in (self.start, self.end))

    def __str__(self) -> str:
        """Return the window for people, such as `2026-11-20 00:00 to 2026-11-21 00:00 Europe/Berlin`."""
        return f"{_short(self.start)} to {_short(self.end)} {self.timezone}"

    @property
    def is_whole_days(self) -> bool:
        """Whether it begins and ends with a day of its time zone."""
        return all(one == one.start_of("day") for one in (self.start, self.end))

    def days(self) -> list[DateTime]:
        """Return the beginnings of its days."""
        return _beginnings(self, "days")

    def reaches_past_retention(self, now: datetime) -> bool:
        """Whether it begins before what Twilio still keeps completely."""
        return self.start < kept_since(now)

    @cached_property
    def buckets(self) -> Buckets:
        """Hours, days, months or years: the finest of which the window has not too many."""
        step = next((step for step in _STEPS if _count(self, step) <= _MAX_BUCKETS), "years")
        return Buckets(step, _beginnings(self, step))


class Buckets:
    """
    The parts of a window by which a report counts.

    :param step: "hours", "days", "months" or "years".
    :param beginnings: of the parts; the first may lie before the window, which begins in the middle of it.
    """

    def __init__(self, step: str, beginnings: Sequence[DateTime]) -> None:
        self.step = step
        self.beginnings = beginnings
        self._timestamps = [one.timestamp() for one in beginnings]

    def __len__(self) -> int:
        return len(self.beginnings)

    def index(self, at: datetime) -> int:
        """Return the number of the part that a time is in; the nearest for one outside of the window."""
        return max(0, bisect_right(self._timestamps, at.timestamp()) - 1)

    def labels(self) -> list[str]:
        """Return a name of each part: hours that come twice as the clocks are set back differ by their offset."""
        form = {"hours": "MM-DD HH:mm", "days": "YYYY-MM-DD", "months": "YYYY-MM", "years": "YYYY"}[self.step]
        plain = [one.format(form) for one in self.beginnings]
        return [
            one.format(f"{form} Z") if plain.count(label) > 1 else label
            for one, label in zip(self.beginnings, plain, strict=True)
        ]


def window_of(start: object, end: object, timezone: str = "UTC") -> Window:
    """
    Check and make a window.

    :param start: an aware datetime or an ISO 8601 string; a text without an offset is in `timezone`.
    :param end: likewise; not itself in the window.
    :param timezone: name of the zone that days and hours are of, such as "Europe/Berlin".
    :raises CommsArgumentError: one of them is invalid, or the window is empty.
    """
    zone = zone_of(timezone)
    window = Window(aware_datetime("window_start", start, zone), aware_datetime("window_end", end, zone))
    if window.start >= window.end:
        raise CommsArgumentError(
            f"The window from {window.start} to {window.end} is empty.",
            advice="window_start must be before window_end.",
        )
    if window.end - window.start > _LONGEST:
        raise CommsArgumentError(f"The window from {window.start} to {window.end} is longer than 50 years.")
    return window


def window_since(duration: str, now: datetime, timezone: str = "UTC") -> Window:
    """
    Return the window of the latest stretch of time.

    :param duration: such as "7d", "36h", "90m" or "2w".
    :param now: where the window ends; aware.
    :raises CommsArgumentError: not such a duration, or no such zone.
    """
    end = pendulum.instance(now).in_timezone(zone_of(timezone))
    length = duration_of(duration)
    try:
        start = end - length
    except (OverflowError, ValueError):
        raise CommsArgumentError(f"The duration {duration!r} reaches back too far.") from None
    return window_of(start, end, timezone)


def duration_of(text: str) -> Duration:
    """
    Read a duration such as "7d", "36h", "90m" or "2w".

    :raises CommsArgumentError: it is not one.
    """
    read = _DURATION.fullmatch(text.strip().lower())
    if not read or not int(read[1]):
        raise CommsArgumentError(f"{text!r} is not a duration.", advice="Use one such as 7d, 36h, 90m or 2w.")
    return pendulum.duration(**{_UNITS[read[2]]: int(read[1])})


def zone_of(timezone: object) -> Timezone | FixedTimezone:
    """
    Return a time zone by its name.

    :raises CommsArgumentError: there is none.
    """
    try:
        return pendulum.timezone(str(timezone))
    except (LookupError, ValueError, OSError):
        raise CommsArgumentError(
            f"timezone={timezone!r} is unknown.", advice="Use a name such as Europe/Berlin or UTC."
        ) from None


def kept_since(now: datetime) -> DateTime:
    """Return since when operations were created that Twilio still keeps completely."""
    return pendulum.instance(now).subtract(days=RETENTION_DAYS)


def aware_datetime(name: str, value: object, zone: Timezone | FixedTimezone) -> DateTime:
    """
    Return a point in time.

    :param name: what the error calls it.
    :param value: an aware datetime or an ISO 8601 string; a text without an offset is in the zone.
    :raises CommsArgumentError: it is invalid.
    """
    at = _parsed(value, zone) if isinstance(value, str) else value
    if not isinstance(at, datetime) or (at.tzinfo is None):
        raise CommsArgumentError(
            f"{name}={value!r} is not a point in time.",
            advice="Use an aware datetime or a text such as 2026-11-20, 2026-11-20T06:00 or 2026-11-20T06:00:00+01:00.",
        )
    try:
        return pendulum.instance(at).in_timezone(zone)
    except (OverflowError, ValueError):
        raise CommsArgumentError(f"{name}={value!r} is out of range.") from None


def _parsed(text: str, zone: Timezone | FixedTimezone) -> object:
    if not re.match(r"\s*\d{4}-\d\d-\d\d", text):  # pendulum would take "now", or 10:00 for 10:00 of today.
        return None
    try:
        return pendulum.parse(text.strip(), tz=zone)
    except (ParserError, ValueError, OverflowError):
        return None


def _count(window: Window, step: str) -> int:
    interval = window.end - window.start
    return {"hours": interval.in_hours, "days": interval.in_days, "months": interval.in_months}[step]()


def _beginnings(window: Window, step: str) -> list[DateTime]:
    first = window.start.start_of(step[:-1])
    beginnings = [first]
    while (following := first.add(**{step: len(beginnings)}).start_of(step[:-1])) < window.end:
        beginnings.append(following)
    return beginnings


def _compact(at: DateTime) -> str:
    utc = at.in_timezone("UTC")
    return utc.format("YYYYMMDD[T]HHmmss[Z]" if not utc.microsecond else "YYYYMMDD[T]HHmmss.SSSSSS[Z]")


def _short(at: DateTime) -> str:
    return at.format("YYYY-MM-DD HH:mm" if not at.second and not at.microsecond else "YYYY-MM-DD HH:mm:ss")

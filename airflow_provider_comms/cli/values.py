"""Values on the command line: a text becomes a value, or argparse's error."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime

MAX_SECONDS = 366 * 86_400
MAX_COUNT = 10**9


def timestamp(text: str) -> datetime:
    """Read a date or a date with a time; UTC if it has no offset."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a timestamp like 2026-11-21 or 2026-11-21T04:30:00+01:00") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def seconds(text: str) -> float:
    """Read a number of seconds above 0, up to a year."""
    try:
        read = float(text)
    except ValueError:
        read = 0.0
    if not 0 < read <= MAX_SECONDS:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0 and up to {MAX_SECONDS} (a year)")
    return read


def count(text: str) -> int:
    """Read an integer from 0 to a billion."""
    if not text.isdecimal() or len(text) > len(str(MAX_COUNT)) or int(text) > MAX_COUNT:
        raise ArgumentTypeError(f"{text!r} is not an integer from 0 to {MAX_COUNT}")
    return int(text)


def threshold(text: str) -> tuple[str, int | str]:
    """Read a counter and its threshold; whether they make sense, the wait says."""
    counter, _, value = text.partition("=")
    if not counter or not value:
        raise ArgumentTypeError(f"{text!r} is not a threshold like failed=2% or undelivered=50")
    is_count = value.isdecimal() and len(value) <= len(str(MAX_COUNT))
    return counter, int(value) if is_count else value

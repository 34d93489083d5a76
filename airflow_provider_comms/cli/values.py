"""Values on the command line: a text becomes what it stands for, or argparse's error."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """Read a moment; UTC unless it names a zone."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no moment such as 2026-11-21 or 2026-11-21T04:30:00+01:00") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def seconds(text: str) -> float:
    """Read a number of seconds above 0."""
    try:
        read = float(text)
    except ValueError:
        read = 0.0
    if not 0 < read < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return read


def count(text: str) -> int:
    """Read a whole number from 0 up."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no whole number from 0 up")
    return int(text)


def limit(text: str) -> tuple[str, int | str]:
    """Read a counter and its limit; whether they make sense, the wait says."""
    counter, _, most = text.partition("=")
    if not counter or not most:
        raise ArgumentTypeError(f"{text!r} is no limit such as failed=2% or undelivered=50")
    return counter, int(most) if most.isdecimal() else most

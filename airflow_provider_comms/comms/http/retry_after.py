"""The Retry-After header, in each of its forms."""

from __future__ import annotations

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER = 300.0
"""Seconds; a longer Retry-After is taken for this, so that one odd response cannot silence a connection for hours."""
_SECONDS = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def parse_retry_after(header: str | None, now: float) -> float | None:
    """
    Read a Retry-After header.

    :param header: seconds (as Twilio's specification says) or an HTTP date (RFC 9110).
    :param now: seconds since the epoch, against which a date is read.
    :return: seconds from now, from 0 to `MAX_RETRY_AFTER`; None if there is none, or it is neither of the two.
    """
    if header is None:
        return None
    text = header.strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    elif (date := parse_http_date(text)) is not None:
        seconds = date - now
    else:
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER) if math.isfinite(seconds) else None


def parse_http_date(text: str | None) -> float | None:
    """
    Read a date of an HTTP header.

    :return: seconds since the epoch; None if it is not a date.
    """
    try:
        date = parsedate_to_datetime(text or "")
        # The form without a zone (asctime's, and RFC 5322's -0000) means GMT, not the time where we run.
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None

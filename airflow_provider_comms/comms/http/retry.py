"""How long to wait: one rule for every status, header and attempt."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tenacity import retry_if_exception
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from airflow_provider_comms.comms.errors import CommsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from airflow_provider_comms.comms.settings import RetryPolicy


MAX_RETRY_AFTER = 3600.0
"""Seconds; a Retry-After of more is taken for this, lest one odd answer shut a connection off for days."""
_SECONDS = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def retry_after(header: str | None, now: float) -> float | None:
    """
    Read a Retry-After header.

    :param header: seconds, or an HTTP date (RFC 9110; Twilio does not say which it sends).
    :param now: seconds since the epoch, against which a date is read.
    :return: seconds from now, from 0 to `MAX_RETRY_AFTER`; None if there is none, or it is neither of the two.
    """
    if header is None:
        return None
    text = header.strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    elif (moment := http_date(text)) is not None:
        seconds = moment - now
    else:
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER) if math.isfinite(seconds) else None


def http_date(text: str | None) -> float | None:
    """
    Read a date of an HTTP header.

    :return: seconds since the epoch; None if it is no date.
    """
    try:
        moment = parsedate_to_datetime(text or "")
        # The form without a zone (asctime's, and RFC 5322's -0000) means GMT, not the time where we run.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def is_transient(error: BaseException) -> bool:
    """Whether the same GET may well succeed a little later."""
    return isinstance(error, CommsError) and error.transient


def delay_before_retry(
    attempt: int, wished: float | None, policy: RetryPolicy, draw: Callable[[], float] = random.random
) -> float:
    """
    Return how long to wait before the next request, in seconds.

    The server's wish where there is one, else exponential back-off with full jitter, so that many clients that
    failed together do not come back together.

    :param attempt: number of the request that just failed, from 1.
    :param wished: seconds of its Retry-After, or None.
    :param draw: a number from 0 to 1.
    """
    if wished is not None:
        return wished
    # The exponent is bounded: 2.0 ** 2000 is an OverflowError.
    bound = policy.backoff_base * 2.0 ** min(attempt - 1, 64)
    return min(policy.backoff_cap, bound) * draw()


@dataclass(frozen=True)
class _Delay(wait_base):
    """The rule above in tenacity's form."""

    policy: RetryPolicy

    def __call__(self, retry_state: RetryCallState) -> float:
        return delay_before_retry(retry_state.attempt_number, _wish(retry_state), self.policy)


@dataclass(frozen=True)
class _GiveUp(stop_base):
    """Stop where the next request would come too late, or would be one too many."""

    policy: RetryPolicy
    call_timeout: float

    def __call__(self, retry_state: RetryCallState) -> bool:
        wait = retry_state.upcoming_sleep
        spent = retry_state.seconds_since_start or 0.0
        return (
            retry_state.attempt_number >= self.policy.attempts
            or (_wish(retry_state) or 0.0) > self.policy.retry_after_cap
            or spent + wait > self.call_timeout
        )


def _wish(retry_state: RetryCallState) -> float | None:
    error = retry_state.outcome.exception() if retry_state.outcome else None
    return error.retry_after if isinstance(error, CommsError) else None


def retry_rules(policy: RetryPolicy, call_timeout: float) -> dict[str, Any]:
    """Return the arguments of tenacity's `AsyncRetrying`."""
    return {
        "retry": retry_if_exception(is_transient),
        "wait": _Delay(policy),
        "stop": _GiveUp(policy, call_timeout),
        "reraise": True,
    }

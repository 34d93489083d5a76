"""Whether and when a failed request is sent again: one rule for every status, header and attempt."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.settings import RetryPolicy


def delay_before_retry(
    attempt: int, retry_after: float | None, policy: RetryPolicy, draw: Callable[[], float] = random.random
) -> float:
    """
    Return how long to wait before the next request, in seconds.

    The server's Retry-After if there is one, else exponential back-off with full jitter, so that many clients that
    failed together do not come back together.

    :param attempt: number of the request that just failed, from 1.
    :param retry_after: seconds of its Retry-After, or None.
    :param draw: a number from 0 to 1.
    """
    if retry_after is not None:
        return retry_after
    # The exponent is bounded: 2.0 ** 2000 is an OverflowError.
    bound = policy.backoff_base * 2.0 ** min(attempt - 1, 64)
    return min(policy.backoff_cap, bound) * draw()


def may_retry(error: CommsError, attempt: int, delay: float, time_left: float, policy: RetryPolicy) -> bool:
    """
    Whether to send again: the failure may pass, and the next request is allowed and comes in time.

    :param attempt: number of the request that just failed, from 1.
    :param delay: seconds until the next request.
    :param time_left: seconds that the call may still take.
    """
    return (
        error.transient
        and attempt < policy.attempts
        and (error.retry_after or 0.0) <= policy.retry_after_cap
        and delay <= time_left
    )

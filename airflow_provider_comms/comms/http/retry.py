"""Whether and when a failed request is sent again: one rule for every status, header and attempt."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, retry_if_exception_type
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from airflow_provider_comms.comms.errors import CommsError, CommsRateLimitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from airflow_provider_comms.comms.http.request import Request
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


def is_repeatable(request: Request, error: CommsError) -> bool:
    """
    Whether the failure may pass, and another request does no harm.

    A request that sends something has done nothing only if not one byte of it was written, or after a 429, of which
    Twilio says that it was not processed. After anything else a second one might send it twice.
    """
    if not request.sends:
        return error.transient
    return isinstance(error, CommsRateLimitError) or (error.transient and error.context.sent is False)


def may_retry(
    request: Request, error: CommsError, *, attempt: int, delay: float, time_left: float, policy: RetryPolicy
) -> bool:
    """
    Whether to send again: it is safe and may help, and the next request is allowed and comes in time.

    :param attempt: number of the request that just failed, from 1.
    :param delay: seconds until the next request.
    :param time_left: seconds that the call may still take.
    """
    return (
        is_repeatable(request, error)
        and attempt < policy.attempts
        and (error.retry_after or 0.0) <= policy.retry_after_cap
        and delay <= time_left
    )


def retrying(
    request: Request, policy: RetryPolicy, deadline: float, on_failure: Callable[[CommsError, float], None]
) -> AsyncRetrying:
    """
    Return the loop of tenacity's that sends again by the rules above.

    :param deadline: when the call ends, by `time.monotonic`.
    :param on_failure: told of each failure, and of the seconds that will lie between it and the next request.
    """
    return AsyncRetrying(
        retry=retry_if_exception_type(CommsError),
        wait=_Delay(policy, on_failure),
        stop=_GiveUp(request, policy, deadline),
        sleep=asyncio.sleep,
        reraise=True,
    )


@dataclass(frozen=True)
class _Delay(wait_base):
    """The one decision on a failure: tenacity asks for it once, before it asks whether to stop."""

    policy: RetryPolicy
    on_failure: Callable[[CommsError, float], None]

    def __call__(self, retry_state: RetryCallState) -> float:
        error = _error(retry_state)
        delay = delay_before_retry(retry_state.attempt_number, error.retry_after, self.policy)
        self.on_failure(error, delay)
        return delay


@dataclass(frozen=True)
class _GiveUp(stop_base):
    request: Request
    policy: RetryPolicy
    deadline: float

    def __call__(self, retry_state: RetryCallState) -> bool:
        return not may_retry(
            self.request,
            _error(retry_state),
            attempt=retry_state.attempt_number,
            delay=retry_state.upcoming_sleep,
            time_left=self.deadline - monotonic(),
            policy=self.policy,
        )


def _error(retry_state: RetryCallState) -> CommsError:
    error = retry_state.outcome.exception() if retry_state.outcome else None
    assert isinstance(error, CommsError), error  # noqa: S101  (tenacity retries nothing else)
    return error

"""Retries, deadlines, the limit of requests in flight, and the throttle."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_comms.comms.errors import CommsError, CommsRateLimitError, CommsTimeoutError
from airflow_provider_comms.comms.http.retry import retrying
from airflow_provider_comms.comms.http.throttle import shared_throttle
from airflow_provider_comms.comms.http.transport import Transport
from airflow_provider_comms.comms.observer import observing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.http.response import Response
    from airflow_provider_comms.comms.settings import ClientSettings, RetryPolicy, Timeouts

T = TypeVar("T")
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class SendOptions:
    """
    How far one call goes.

    :param timeouts: of the call and its parts.
    :param retry: when to send again.
    :param last_chance: whether it may pass a throttle that is blocked; see `Throttle.try_acquire`.
    """

    timeouts: Timeouts
    retry: RetryPolicy
    last_chance: bool = False


class Sender:
    """
    Sends requests until one gets a response that can be read, within the timeouts and the retry policy.

    :param settings: whom to talk to, and how.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._transport = Transport(settings)
        self._throttle = shared_throttle(settings.base_url, settings.username)
        # httpx's pool takes time quadratic in what queues on it; so the queue is in front of it.
        self._slots = asyncio.Semaphore(settings.max_in_flight)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def send(self, request: Request, parse: Callable[[Response], T], options: SendOptions) -> T:
        """
        Send, and send again while that may help.

        :param parse: turns a response into its result, or raises the error that it stands for.
        :param options: how far to go.
        :raises CommsError: the last error, when another request would not help, or not come in time.
        """
        deadline = monotonic() + options.timeouts.call
        sent_at: float | None = None

        def slow_down(error: CommsError, delay: float) -> None:
            # After a 429 nobody sends for as long as the request that got it waits.
            if isinstance(error, CommsRateLimitError) and sent_at is not None:
                self._throttle.block(sent_at, delay)

        async for attempt in retrying(request, options.retry, deadline, slow_down):
            sent_at = None
            with attempt:
                async with self._slot(request, deadline):
                    await self._wait_for_throttle(request, options, deadline)
                    sent_at = monotonic()
                    number = attempt.retry_state.attempt_number
                    with observing(self._settings.observer, request.resource.value, request.method, number) as succeed:
                        response = await self._exchange(request, options.timeouts, sent_at, deadline)
                        result = parse(response)
                        succeed(response.status)
                        return result
        raise AssertionError("tenacity returns or raises")

    @asynccontextmanager
    async def _slot(self, request: Request, deadline: float) -> AsyncIterator[None]:
        seconds = deadline - monotonic()
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise CommsTimeoutError(
                f"Not sent: the requests before it took all of its {max(0.0, seconds):.1f} s.",
                request.context(self._settings.description),
            ) from None
        try:
            yield
        finally:
            self._slots.release()

    async def _wait_for_throttle(self, request: Request, options: SendOptions, deadline: float) -> None:
        while (delay := self._throttle.try_acquire(last_chance=options.last_chance)) > 0:
            if delay > min(options.retry.retry_after_cap, deadline - monotonic()):
                raise CommsRateLimitError(
                    f"Not sent: the API has told this connection to wait {delay:.0f} s.",
                    replace(request.context(self._settings.description), retry_after=delay),
                )
            await asyncio.sleep(delay)

    async def _exchange(self, request: Request, timeouts: Timeouts, sent_at: float, deadline: float) -> Response:
        response = await self._transport.exchange(request, timeouts, _seconds(request, timeouts, deadline - sent_at))
        if response.status != TOO_MANY_REQUESTS:
            self._throttle.record_success(sent_at)
        return response


def _seconds(request: Request, timeouts: Timeouts, left: float) -> float:
    """
    Return how long one exchange may take.

    :param left: seconds that the call may still take. What sends something may begin until their end, and then has the
        time of an attempt: cut off, nobody would know what came of it.
    """
    if request.sends:
        return max(timeouts.attempt, left)
    return min(timeouts.attempt, max(0.0, left))

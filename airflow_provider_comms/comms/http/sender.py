"""The manners of a conversation with the API: retries, deadlines, taking turns, and waiting when told to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from tenacity import AsyncRetrying

from airflow_provider_comms.comms.errors import CommsError, CommsRateLimitError, CommsTimeoutError
from airflow_provider_comms.comms.http.retry import delay_before_retry, retry_rules
from airflow_provider_comms.comms.http.throttle import shared_throttle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.http.response import Response
    from airflow_provider_comms.comms.settings import ClientSettings

T = TypeVar("T")


class Sender:
    """
    Asks until there is an answer that can be read, within the settings' timeouts and retry policy.

    :param settings: whom we talk to, and how patiently.
    :param exchange: sends one request and returns its whole answer.
    """

    def __init__(self, settings: ClientSettings, exchange: Callable[[Request], Awaitable[Response]]) -> None:
        self._peer = settings.description
        self._timeouts, self._retry = settings.timeouts, settings.retry
        self._exchange = exchange
        self._gate = shared_throttle(settings.base_url, settings.username)
        # httpx's pool takes time quadratic in what queues on it; so the queue stands in front of it.
        self._turns = asyncio.Semaphore(settings.max_in_flight)

    async def ask(self, request: Request, read: Callable[[Response], T]) -> T:
        """
        Send, and send again while that may help.

        :param read: turns an answer into what it means, or raises what it means.
        :raises CommsError: the last error, when there is no use in going on or no patience left.
        """
        deadline = monotonic() + self._timeouts.call
        async for attempt in AsyncRetrying(**retry_rules(self._retry, self._timeouts.call)):
            with attempt:
                number = attempt.retry_state.attempt_number
                async with self._turn(request, deadline):
                    await self._pass_gate(request, deadline)
                    return await self._attempt(request, read, number, deadline)
        raise AssertionError("tenacity returns or raises")

    @asynccontextmanager
    async def _turn(self, request: Request, deadline: float) -> AsyncIterator[None]:
        seconds = deadline - monotonic()
        try:
            async with asyncio.timeout(seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise CommsTimeoutError(
                f"Not sent: the requests before it left it no turn in {max(0.0, seconds):.1f} s.",
                request.context(self._peer),
            ) from None
        try:
            yield
        finally:
            self._turns.release()

    async def _pass_gate(self, request: Request, deadline: float) -> None:
        while (delay := self._gate.delay()) > 0:
            if delay > min(self._retry.retry_after_cap, deadline - monotonic()):
                raise CommsRateLimitError(
                    f"Not sent: the API has told this connection to wait {delay:.0f} s.",
                    replace(request.context(self._peer), retry_after=delay),
                )
            await asyncio.sleep(delay)

    async def _attempt(self, request: Request, read: Callable[[Response], T], number: int, deadline: float) -> T:
        sent_at = monotonic()
        answer = await self._in_time(request, min(self._timeouts.attempt, max(0.0, deadline - sent_at)))
        try:
            result = read(answer)
        except CommsRateLimitError as error:
            self._gate.shut(sent_at, delay_before_retry(number, error.retry_after, self._retry))
            raise
        except CommsError:
            self._gate.passed()
            raise
        self._gate.passed()
        return result

    async def _in_time(self, request: Request, seconds: float) -> Response:
        """Hold a deadline over the whole exchange: neither silence nor a dripping answer can stretch it."""
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(request)
        except TimeoutError:
            raise CommsTimeoutError(
                f"No whole answer to {request.method} {request.path} in {seconds:.1f} s.",
                request.context(self._peer),
            ) from None

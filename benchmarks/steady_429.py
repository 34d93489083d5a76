"""
How many requests a deferred wait sends to an API that answers 429 without Retry-After.

It matters because a 429 is the API's request to slow down, and a client that answers it with more requests gets the
whole account blocked. Both triggers are set to poll once in 60 seconds.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from benchmarks.measure import apart
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 3.0
POKE_INTERVAL = 60.0
OPERATION_ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
MOST = Bound("≤", 5, "requests")
"""What one poll may send: `RetryPolicy.attempts`."""


def run() -> Report:
    with simulated_api() as api:
        api.fault(429)
        ours = _requests_of(api, wait_with_ours, AIRFLOW_CONN_TWILIO_COMMS_DEFAULT=api.connection("twilio_comms"))
        peer = _requests_of(api, wait_with_http_sensor, AIRFLOW_CONN_HTTP_DEFAULT=api.connection("http"))
    figure = Figure(
        what=f"requests in {SECONDS:.0f} s",
        ours=ours,
        peer=peer,
        unit="",
        ratio=ours / peer,
        bound=MOST,
        judged=ours,
    )
    return Report(
        "steady_429",
        "what is sent to an API that answers 429, without Retry-After?",
        "HttpSensor, deferred",
        [figure],
        [f"Both with poke_interval={POKE_INTERVAL:.0f}, as triggers on an event loop."],
    )


def _requests_of(api: SimulatedApi, wait: Callable[[], None], **env: str) -> int:
    api.forget_requests()
    apart(wait, env=env)
    return int(api.counts()["total"])


def wait_with_ours() -> None:
    """Run our sensor's trigger."""
    from airflow_provider_comms.triggers.operation import CommsOperationTrigger

    _run(CommsOperationTrigger(resource="emails", operation_id=OPERATION_ID, poke_interval=POKE_INTERVAL))


def wait_with_http_sensor() -> None:
    """Run the trigger of `HttpSensor(deferrable=True)`."""
    from airflow.providers.http.triggers.http import HttpSensorTrigger

    endpoint = f"/v1/Emails/Operations/{OPERATION_ID}"
    _run(HttpSensorTrigger(endpoint=endpoint, http_conn_id="http_default", poke_interval=POKE_INTERVAL))


def _run(trigger: Any) -> None:
    """Let a trigger run for a while, as the triggerer would."""

    async def first_event() -> object:
        return await anext(trigger.run())

    async def for_a_while() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                raise AssertionError(f"The trigger sent an event: {await first_event()}")

    asyncio.run(for_a_while())

"""
What happens to many waits when the API fails: which are lost, which end twice, and how many requests are sent.

The outages run side by side, each with an API, a connection and a poll of its own, on one event loop. They take as
long as they say: an API that is down for five minutes is down for five minutes.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.measure import apart
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api

if TYPE_CHECKING:
    from collections.abc import Mapping

WAITS = 1_100
"""More than a page holds, so that lists have a middle."""
INTERVAL = 30.0
LASTS = 60.0
"""Seconds that the operations take."""
BEGINS = 5.0
"""Seconds after which the outage starts: every wait has been polled once."""
LATE = INTERVAL + 10.0
"""Seconds after the end of the outage, or of the operations, by which all waits must have ended."""


@dataclass(frozen=True)
class Outage:
    """
    One outage.

    :param what: its name.
    :param fault: of the simulator: kind and fields; None for none.
    :param lasts: seconds until it is over.
    :param most_requests: while it lasts.
    :param settings: of the simulator, changed for its time.
    """

    what: str
    fault: tuple[int | str, Mapping[str, Any]] | None
    lasts: float
    most_requests: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def over_after(self) -> float:
        """Seconds from its beginning until every wait can have ended."""
        return max(self.lasts, LASTS)


def _polls(seconds: float) -> int:
    return int(seconds / INTERVAL) + 1


EACH = (_polls(LASTS) + 2) * (WAITS + 4)
"""Requests where the list is of no use: each poll fetches every operation, and tries the list."""

ATTEMPTS = 5
"""Requests of one call, as a connection has it unless it says otherwise."""

OUTAGES = (
    # A list and a fetch find out, then one call an interval asks whether it is back.
    Outage("no connection for 5 minutes", ("reset", {}), 300, ATTEMPTS * (2 + _polls(300))),
    Outage("503 for 5 minutes", (503, {}), 300, ATTEMPTS * (2 + _polls(300))),
    # The throttle blocks all requests for as long as the API asks.
    Outage("429 with Retry-After 30 for 2 minutes", (429, {"retry_after": 30}), 120, 2 + _polls(120)),
    # The first page is good, the second is refused.
    Outage("page tokens refused in mid-list", (400, {"route": "list", "skip": 1}), LASTS, EACH),
    Outage("the list fails, fetching works", (503, {"route": "list"}), LASTS, EACH),
    Outage("the list lags by an hour", None, LASTS, EACH, {"list_lag": 3600.0}),
)


def run() -> Report:
    with ExitStack() as stack:
        apis = [stack.enter_context(simulated_api()) for _ in OUTAGES]
        env = {_variable(number): api.connection("twilio_comms") for number, api in enumerate(apis)}
        outages = apart(run_all, env=env, urls=[api.url for api in apis])
    figures = [
        figure for outage, measured in zip(OUTAGES, outages, strict=True) for figure in _figures(outage, measured)
    ]
    return Report(
        "outages",
        f"what happens to {WAITS:,} waits, polled every {INTERVAL:.0f} s, in an outage?",
        "",
        figures,
        [
            f"Operations take {LASTS:.0f} s. Each wait must send one event, that of its end.",
            "Late: after the outage. Requests: during it.",
        ],
    )


def _figures(outage: Outage, measured: Mapping[str, float]) -> list[Figure]:
    return [
        _judged(f"{outage.what}: lost, doubled or wrong", measured["wrong"], Bound("≤", 0, ""), ""),
        _judged(f"{outage.what}: last end late by", measured["late"], Bound("≤", LATE, "s"), "s"),
        _judged(f"{outage.what}: requests", measured["requests"], Bound("≤", outage.most_requests, ""), ""),
    ]


def _judged(what: str, value: float, bound: Bound, unit: str) -> Figure:
    return Figure(what=what, ours=value, unit=unit, bound=bound, judged=value)


def _conn_id(number: int) -> str:
    return f"outage_{number}"


def _variable(number: int) -> str:
    return f"AIRFLOW_CONN_{_conn_id(number).upper()}"


def run_all(urls: list[str]) -> list[dict[str, float]]:
    """Run all outages at once."""
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"

    async def all_outages() -> list[dict[str, float]]:
        outages = enumerate(zip(OUTAGES, urls, strict=True))
        return await asyncio.gather(
            *(_live(outage, SimulatedApi(url), _conn_id(number)) for number, (outage, url) in outages)
        )

    return asyncio.run(all_outages())


async def _live(outage: Outage, api: SimulatedApi, conn_id: str) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    ids = await asyncio.to_thread(_begin, outage, api)
    over_at = loop.time() + BEGINS + outage.over_after
    waits = [asyncio.create_task(_wait(one, conn_id)) for one in ids]
    await asyncio.sleep(BEGINS)
    requests = await asyncio.to_thread(_start_outage, outage, api)
    await asyncio.sleep(outage.lasts)
    requests = await asyncio.to_thread(_total, api) - requests
    await asyncio.to_thread(api.end_faults)
    verdicts_of_all = await asyncio.gather(*waits)
    return {
        "wrong": sum(verdicts != ["finished"] for verdicts in verdicts_of_all),
        "late": max(0.0, loop.time() - over_at),
        "requests": requests,
    }


def _begin(outage: Outage, api: SimulatedApi) -> list[str]:
    api.settings(**outage.settings)
    return api.begin(WAITS, processing_for=LASTS)


def _start_outage(outage: Outage, api: SimulatedApi) -> int:
    if outage.fault:
        kind, fields = outage.fault
        api.fault(kind, **fields)
    return _total(api)


def _total(api: SimulatedApi) -> int:
    return int(api.counts()["total"])


async def _wait(operation_id: str, conn_id: str) -> list[str]:
    """Wait as a triggerer lets a trigger wait; return the verdict of each of its events."""
    from airflow_provider_comms.triggers.operation import CommsOperationTrigger

    trigger = CommsOperationTrigger(
        resource="emails", operation_id=operation_id, comms_conn_id=conn_id, poke_interval=INTERVAL
    )
    trigger.log.disabled = True  # type: ignore[attr-defined]
    return [event.payload["verdict"] async for event in trigger.run()]

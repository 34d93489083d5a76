"""
What becomes of many waits when the API has a bad day: who is lost, who is told twice, and how often is asked.

The bad days run side by side, each with an API, a connection and a poll of its own, in the process of one loop. They
take as long as they say: an API that is down for five minutes is down for five minutes.
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
"""Seconds after which the day goes bad: every wait has had its first look."""
LATE = INTERVAL + 10.0
"""Seconds after the end of the trouble, or of the operations, by which all must be told."""


@dataclass(frozen=True)
class BadDay:
    """
    One bad day.

    :param what: happens.
    :param fault: of the simulator: kind and fields; None for none.
    :param lasts: seconds until the trouble is over.
    :param most_requests: while it lasts.
    :param settings: of the simulator, changed for the day.
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


def _looks(seconds: float) -> int:
    return int(seconds / INTERVAL) + 1


EACH = (_looks(LASTS) + 2) * (WAITS + 4)
"""Requests where the list is of no use: each is fetched in each look, and the list is tried."""

ATTEMPTS = 5
"""Requests of one call, as a connection has it unless it says otherwise."""

DAYS = (
    # A list and a fetch find out, then one call an interval asks whether it is back.
    BadDay("no connection for 5 minutes", ("reset", {}), 300, ATTEMPTS * (2 + _looks(300))),
    BadDay("503 for 5 minutes", (503, {}), 300, ATTEMPTS * (2 + _looks(300))),
    # The gate lets nobody pass for as long as the API wishes.
    BadDay("429 with Retry-After 30 for 2 minutes", (429, {"retry_after": 30}), 120, 2 + _looks(120)),
    # The first page is good, the second is refused.
    BadDay("page tokens refused in mid-list", (400, {"route": "list", "skip": 1}), LASTS, EACH),
    BadDay("the list fails, fetching works", (503, {"route": "list"}), LASTS, EACH),
    BadDay("the list lags by an hour", None, LASTS, EACH, {"list_lag": 3600.0}),
)


def run() -> Report:
    with ExitStack() as stack:
        apis = [stack.enter_context(simulated_api()) for _ in DAYS]
        env = {_variable(number): api.connection("twilio_comms") for number, api in enumerate(apis)}
        days = apart(live_through, env=env, urls=[api.url for api in apis])
    figures = [figure for day, lived in zip(DAYS, days, strict=True) for figure in _figures(day, lived)]
    return Report(
        "bad_days",
        f"what becomes of {WAITS:,} waits, a look every {INTERVAL:.0f} s, on a bad day?",
        "",
        figures,
        [
            f"Operations take {LASTS:.0f} s. Each wait must send one event, that of its end.",
            "Late: after all was well again. Requests: while it was not.",
        ],
    )


def _figures(day: BadDay, lived: Mapping[str, float]) -> list[Figure]:
    return [
        _judged(f"{day.what}: lost, doubled or wrong", lived["wrong"], Bound("≤", 0, ""), ""),
        _judged(f"{day.what}: last told late by", lived["late"], Bound("≤", LATE, "s"), "s"),
        _judged(f"{day.what}: requests", lived["requests"], Bound("≤", day.most_requests, ""), ""),
    ]


def _judged(what: str, value: float, bound: Bound, unit: str) -> Figure:
    return Figure(what=what, ours=value, unit=unit, bound=bound, judged=value)


def _conn_id(number: int) -> str:
    return f"bad_day_{number}"


def _variable(number: int) -> str:
    return f"AIRFLOW_CONN_{_conn_id(number).upper()}"


def live_through(urls: list[str]) -> list[dict[str, float]]:
    """Live through all days at once."""
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"

    async def all_days() -> list[dict[str, float]]:
        days = enumerate(zip(DAYS, urls, strict=True))
        return await asyncio.gather(*(_live(day, SimulatedApi(url), _conn_id(number)) for number, (day, url) in days))

    return asyncio.run(all_days())


async def _live(day: BadDay, api: SimulatedApi, conn_id: str) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    ids = await asyncio.to_thread(_begin, day, api)
    well_again = loop.time() + BEGINS + day.over_after
    waits = [asyncio.create_task(_wait(one, conn_id)) for one in ids]
    await asyncio.sleep(BEGINS)
    requests = await asyncio.to_thread(_go_bad, day, api)
    await asyncio.sleep(day.lasts)
    requests = await asyncio.to_thread(_total, api) - requests
    await asyncio.to_thread(api.end_faults)
    told = await asyncio.gather(*waits)
    return {
        "wrong": sum(verdicts != ["finished"] for verdicts in told),
        "late": max(0.0, loop.time() - well_again),
        "requests": requests,
    }


def _begin(day: BadDay, api: SimulatedApi) -> list[str]:
    api.settings(**day.settings)
    return api.begin(WAITS, processing_for=LASTS)


def _go_bad(day: BadDay, api: SimulatedApi) -> int:
    if day.fault:
        kind, fields = day.fault
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

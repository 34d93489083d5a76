"""
What a triggerer pays for a thousand operations that wait.

It matters because all deferred tasks of an installation share the triggerer's one event loop: CPU spent there, or
a loop that stands still, delays every other task. The peers do as providers' triggers do: a new aiohttp session,
or a new httpx client, for each poll.
"""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.measure import apart, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

FETCHES, FETCHES_WITH_NEW_CLIENTS = 1000, 100
IN_FLIGHT = 16
LATENCY = 0.02
"""Seconds per answer: enough for requests to pile up as far as the client lets them."""
ROUNDS = 3
MOST_CPU = Bound("≤", 1.5, "ms")
MOST_IN_FLIGHT = Bound("≤", IN_FLIGHT, "")
LONGEST_GAP = Bound("≤", 50, "ms")


def run() -> Report:
    with simulated_api(emails=FETCHES, latency=LATENCY) as api:
        ids = apart(operation_ids, **api.access)
        loads: dict[Callable[..., Any], list[str]] = {
            fetch_ours: ids,
            fetch_with_aiohttp: ids,
            fetch_with_httpx: ids[:FETCHES_WITH_NEW_CLIENTS],
        }
        rounds = [[_measured(api, load, some) for load, some in loads.items()] for _ in range(ROUNDS)]
    ours, aiohttp, httpx = map(_medians, zip(*rounds, strict=True))
    return Report(
        "fetch_concurrently",
        f"what do {FETCHES:,} fetches on one event loop cost?",
        "peer",
        [
            _figure("CPU per fetch (aiohttp)", "ms", ours["cpu"], aiohttp["cpu"], MOST_CPU),
            _figure("CPU per fetch (httpx)", "ms", ours["cpu"], httpx["cpu"]),
            _figure("loop held longest (aiohttp)", "ms", ours["gap"], aiohttp["gap"], LONGEST_GAP),
            _figure("loop held longest (httpx)", "ms", ours["gap"], httpx["gap"]),
            _figure("most in flight (aiohttp)", "", ours["in_flight"], aiohttp["in_flight"], MOST_IN_FLIGHT),
        ],
        [
            f"Medians of {ROUNDS} rounds; ours begins without a client or a TLS context in each.",
            f"Peers: an aiohttp session per fetch; an httpx client per fetch ({FETCHES_WITH_NEW_CLIENTS} fetches).",
            f"The benchmark holds the peers to {IN_FLIGHT} in flight: nothing in them does.",
        ],
    )


def _measured(api: SimulatedApi, load: Callable[..., Any], ids: list[str]) -> dict[str, float]:
    api.forget_requests()
    found = apart(load, ids=ids, **api.access)
    return found | {"in_flight": api.counts()["max_in_flight"]}


def _medians(rounds: Iterable[dict[str, float]]) -> dict[str, float]:
    found = list(rounds)
    return {name: median(one[name] for one in found) for name in found[0]}


def _figure(what: str, unit: str, ours: float, peer: float, bound: Bound | None = None) -> Figure:
    return Figure(what=what, ours=ours, peer=peer, unit=unit, ratio=ours / peer, bound=bound, judged=ours)


def operation_ids(**access: Any) -> list[str]:
    """Return the ids of all operations."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

    with CommsClient(ClientSettings(**access)) as client:
        return [operation.id for operation in client.list_operations("emails")]


def fetch_ours(ids: list[str], **access: Any) -> dict[str, float]:
    """Fetch all through one client, which is made for it."""
    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.settings import ClientSettings

    async def fetch() -> None:
        async with AsyncCommsClient(ClientSettings(**access)) as client:
            found = await client.try_operations("emails", ids)
        assert all(isinstance(one, Operation) for one in found.values())

    return _watched(fetch, len(ids))


def fetch_with_aiohttp(ids: list[str], base_url: str, username: str, password: str) -> dict[str, float]:
    """Fetch each in a session of its own, as `HttpSensorTrigger` does."""
    import aiohttp

    async def fetch_one(operation_id: str) -> None:
        async with (
            aiohttp.ClientSession(auth=aiohttp.BasicAuth(username, password)) as session,
            session.get(f"{base_url}/v1/Emails/Operations/{operation_id}") as answer,
        ):
            answer.raise_for_status()
            await answer.json()

    return _watched(lambda: _some_at_a_time(fetch_one, ids), len(ids))


def fetch_with_httpx(ids: list[str], base_url: str, username: str, password: str) -> dict[str, float]:
    """Fetch each with a client of its own, TLS context and all."""
    import httpx

    async def fetch_one(operation_id: str) -> None:
        async with httpx.AsyncClient(base_url=base_url, auth=(username, password)) as client:
            answer = await client.get(f"/v1/Emails/Operations/{operation_id}")
            answer.raise_for_status().json()

    return _watched(lambda: _some_at_a_time(fetch_one, ids), len(ids))


async def _some_at_a_time(fetch_one: Callable[[str], Awaitable[None]], ids: list[str]) -> None:
    turns = asyncio.Semaphore(IN_FLIGHT)

    async def fetch(operation_id: str) -> None:
        async with turns:
            await fetch_one(operation_id)

    await asyncio.gather(*map(fetch, ids))


def _watched(load: Callable[[], Awaitable[None]], count: int) -> dict[str, float]:
    """Run a load on a fresh loop; return the milliseconds of CPU per fetch, and of the longest gap."""
    cpu, gap = asyncio.run(_watch(load))
    return {"cpu": cpu * 1000 / count, "gap": gap * 1000}


async def _watch(load: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    gaps: list[float] = []
    with spending() as spent:
        watch = asyncio.create_task(measure_gaps(gaps))
        await load()
    watch.cancel()
    return spent.cpu, max(gaps)


async def measure_gaps(gaps: list[float]) -> None:
    """
    Note the time between one turn on the loop and the next, which is asked for after a millisecond.

    Of that, what this process computed: a machine that is shared gives the processor to others in between.
    """
    clock, cpu = time.perf_counter(), time.process_time()
    while True:
        await asyncio.sleep(0.001)
        clock_before, clock = clock, time.perf_counter()
        cpu_before, cpu = cpu, time.process_time()
        gaps.append(min(clock - clock_before, cpu - cpu_before))

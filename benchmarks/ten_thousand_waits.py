"""
What a triggerer pays while ten thousand operations are waited for, and when all of them end in the same second.

It matters because waiting is what a triggerer does all day: a poll per task is 10,000 requests an interval. The peer
does as providers' triggers do: a task each, and in it a new aiohttp session for each poll.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fetch_concurrently import measure_gaps
from benchmarks.measure import apart, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WAITS = 10_000
INTERVAL = 10.0
CYCLES = 2
PEERS_IN_FLIGHT = 100
FOR_EVER = 10**6
"""Seconds that the operations take, until the simulator's clock is moved past them."""
CONNECTION = "AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"

MOST_REQUESTS = Bound("≤", 12, "")
MOST_CPU = Bound("≤", 1 / 15)
LONGEST_GAP = Bound("≤", 50, "ms")
MOST_MEMORY = Bound("≤", 20, "kB")
ALL_OUT = Bound("≤", INTERVAL + 10, "s")
IN_FLIGHT = Bound("≤", 16, "")


def run() -> Report:
    with simulated_api() as api:
        now = datetime.now(UTC).isoformat()
        api.seed(WAITS, processing_for=FOR_EVER, spread=60, until=now)
        env = {CONNECTION: api.connection("twilio_comms")}
        ids = apart(pending_ids, **api.access)
        ours = apart(wait_ours, env=env, ids=ids, url=api.url)
        peer = apart(poll_each, ids=ids, **api.access)
        end = apart(end_together, env=env, ids=ids, url=api.url)
    cpu = ours["cpu"] / peer["cpu"]
    return Report(
        "ten_thousand_waits",
        f"what do {WAITS:,} waits cost in an interval of {INTERVAL:.0f} s?",
        "aiohttp, one poll each",
        [
            _figure("requests an interval", "", ours["requests"], peer["requests"], MOST_REQUESTS),
            Figure(
                what="CPU an interval",
                ours=ours["cpu"],
                peer=peer["cpu"],
                unit="s",
                ratio=cpu,
                bound=MOST_CPU,
                judged=cpu,
            ),
            _figure("loop held longest", "ms", ours["gap"], peer["gap"], LONGEST_GAP),
            Figure(what="memory of a wait", ours=ours["memory"], unit="kB", bound=MOST_MEMORY, judged=ours["memory"]),
            Figure(
                what="all end at once: last event after",
                ours=end["seconds"],
                unit="s",
                bound=ALL_OUT,
                judged=end["seconds"],
            ),
            Figure(
                what="all end at once: most in flight",
                ours=end["in_flight"],
                unit="",
                bound=IN_FLIGHT,
                judged=end["in_flight"],
            ),
            Figure(what="all end at once: requests", ours=end["requests"], unit=""),
        ],
        [f"Mean of {CYCLES} intervals; the peer polls each once, {PEERS_IN_FLIGHT} at a time."],
    )


def _figure(what: str, unit: str, ours: float, peer: float, bound: Bound) -> Figure:
    return Figure(what=what, ours=ours, peer=peer, unit=unit, ratio=ours / peer, bound=bound, judged=ours)


def pending_ids(**access: str) -> list[str]:
    """Return the ids of all operations that have not ended."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

    with CommsClient(ClientSettings(**access)) as client:
        return [operation.id for operation in client.list_operations("emails", status="PROCESSING")]


def wait_ours(ids: list[str], url: str) -> dict[str, float]:
    """Run a trigger for each, as a triggerer does, and watch some intervals."""

    async def intervals() -> None:
        await asyncio.sleep(INTERVAL * CYCLES)

    async def waiting() -> dict[str, float]:
        tasks = await _start(ids[:1])  # What is loaded for the first wait is no cost of the others.
        before = _memory()
        tasks += await _start(ids[1:])
        memory = (_memory() - before) / len(ids) / 1000
        api = SimulatedApi(url)
        await asyncio.to_thread(api.forget_requests)
        with spending() as spent:
            await intervals()
        requests = (await asyncio.to_thread(api.counts))["total"] / CYCLES
        gap = await _longest_gap(intervals)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return {"cpu": spent.cpu / CYCLES, "gap": gap, "requests": requests, "memory": memory}

    return asyncio.run(waiting())


def end_together(ids: list[str], url: str) -> dict[str, float]:
    """Let all end in the same second, and wait for the last event."""

    async def waiting() -> dict[str, float]:
        tasks = await _start(ids)
        api = SimulatedApi(url)
        await asyncio.to_thread(api.forget_requests)
        await asyncio.to_thread(api.advance, FOR_EVER)
        begun = time.perf_counter()
        events = await asyncio.gather(*tasks)
        seconds = time.perf_counter() - begun
        assert {event.payload["verdict"] for event in events} == {"finished"}
        counts = await asyncio.to_thread(api.counts)
        return {"seconds": seconds, "in_flight": counts["max_in_flight"], "requests": counts["total"]}

    return asyncio.run(waiting())


async def _start(ids: list[str]) -> list[asyncio.Task[Any]]:
    """Start a trigger for each, and give all of them time for their first poll."""
    from airflow_provider_comms.triggers.operation import CommsOperationTrigger

    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
    tasks = []
    for number, one in enumerate(ids):
        trigger = CommsOperationTrigger(
            resource="emails", operation_id=one, poke_interval=INTERVAL, timeout=10 * FOR_EVER
        )
        trigger.log.disabled = True  # type: ignore[attr-defined]
        tasks.append(asyncio.create_task(anext(trigger.run())))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(5)
    return tasks


def poll_each(ids: list[str], base_url: str, username: str, password: str) -> dict[str, float]:
    """Poll each once, with a session of its own."""
    import aiohttp

    async def poll(operation_id: str, turns: asyncio.Semaphore) -> None:
        async with (
            turns,
            aiohttp.ClientSession(auth=aiohttp.BasicAuth(username, password)) as session,
            session.get(f"{base_url}/v1/Emails/Operations/{operation_id}") as answer,
        ):
            answer.raise_for_status()
            await answer.json()

    async def poll_all() -> None:
        turns = asyncio.Semaphore(PEERS_IN_FLIGHT)
        await asyncio.gather(*(poll(one, turns) for one in ids))

    with spending() as spent:
        asyncio.run(poll_all())
    gap = asyncio.run(_longest_gap(poll_all))
    return {"cpu": spent.cpu, "gap": gap, "requests": len(ids)}


async def _longest_gap(load: Callable[[], Awaitable[None]]) -> float:
    """Return the milliseconds for which a load held the loop longest; in a run of its own, for watching costs CPU."""
    gaps: list[float] = []
    watch = asyncio.create_task(measure_gaps(gaps))
    await load()
    watch.cancel()
    return max(gaps) * 1000


def _memory() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

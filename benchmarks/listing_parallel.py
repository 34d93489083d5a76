"""
How much faster slices side by side are, and whether they stay polite.

It matters because Twilio answers a page at a time: 100,000 operations are 100 round trips, one after the other for
whoever follows the tokens, as Airflow's own `HttpOperator` does. Speed must not come from a storm, though: the
number of requests is shown beside the time, and under a rate limit it has to stay near that of one by one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.listing_peers import list_with_http_operator, load_what_a_task_has
from benchmarks.measure import apart, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import DAY, SimulatedApi, simulated_api

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS = 100_000
LATENCY = 0.1
PARALLEL = 8
ROUNDS = 3
LEAST, LEAST_ASKEW = Bound("≥", 6), Bound("≥", 5)
"""
Times as fast as the peer; 8 is aimed for. Where most operations lie in one hour, that hour must be found first, and
what was listed on the way there is listed again: no order is relied upon.
"""
MOST, MOST_ASKEW = Bound("≤", 1.05), Bound("≤", 1.3)
"""Requests, to those of one page after the other; 104 of 100 are the 13 rounds of 8 that cannot be avoided."""
LIMITED_OPERATIONS, RATE_LIMIT = 40_000, 20
MOST_UNDER_LIMIT = Bound("≤", 2)
"""Requests under a rate limit, to those of one page after the other: retries must not multiply with the workers."""


def run() -> Report:
    figures = [
        *_speed("newest first", _seed_evenly, LEAST, MOST, order="newest-first"),
        *_speed("oldest first", _seed_evenly, LEAST, MOST, order="oldest-first"),
        *_speed("shuffled", _seed_evenly, LEAST, MOST, order="shuffled"),
        *_speed("90 % in one hour", _seed_askew, LEAST_ASKEW, MOST_ASKEW, order="newest-first"),
        *_under_a_rate_limit(),
    ]
    return Report(
        "listing_parallel",
        f"how much faster are {PARALLEL} slices side by side?",
        "HttpOperator",
        figures,
        [
            f"{OPERATIONS:,} operations at {LATENCY * 1000:.0f} ms per request; ours: median of {ROUNDS}.",
            "Each in a process of its own, which has loaded Airflow.",
            f"Under the limit of {RATE_LIMIT} requests/s: {LIMITED_OPERATIONS:,} operations; peer: ours, parallel=1.",
        ],
    )


def _seed_evenly(api: SimulatedApi) -> None:
    api.seed(OPERATIONS, spread=DAY)


def _seed_askew(api: SimulatedApi) -> None:
    crowded = OPERATIONS * 9 // 10
    hour = datetime.now(UTC) - timedelta(hours=10)
    api.seed(OPERATIONS - crowded, spread=DAY)
    api.seed(crowded, spread=3600, until=hour.isoformat())


def _speed(shape: str, seed: Callable[[SimulatedApi], None], bound: Bound, most: Bound, order: str) -> list[Figure]:
    """Time both over the same operations, and count what they ask."""
    with simulated_api() as api:
        seed(api)
        api.settings(order=order)
        end = datetime.now(UTC).isoformat()
        # The simulator writes each operation once and keeps it, and so it does with the order of each slice when
        # shuffled; no round is to wait for that.
        for parallel in (1, PARALLEL):
            _listed(api, parallel=parallel, end=end)
        api.settings(latency=LATENCY)
        ours = [_listed(api, parallel=PARALLEL, end=end) for _ in range(ROUNDS)]
        peer = _asked(api, lambda: apart(list_with_operator, env=_http_connection(api)))
    seconds = median(one["seconds"] for one in ours)
    faster = peer["seconds"] / seconds
    requests = median(one["requests"] for one in ours)
    return [
        Figure(
            what=f"{shape}: time",
            ours=seconds,
            peer=peer["seconds"],
            unit="s",
            ratio=faster,
            bound=bound,
            judged=faster,
        ),
        Figure(
            what=f"{shape}: requests",
            ours=requests,
            peer=peer["requests"],
            unit="",
            ratio=requests / peer["requests"],
            bound=most,
            judged=requests / peer["requests"],
        ),
    ]


def _under_a_rate_limit() -> list[Figure]:
    """Count what is sent where the server refuses more than so many requests a second."""
    with simulated_api(emails=LIMITED_OPERATIONS, latency=LATENCY) as api:
        api.settings(rate_limit=RATE_LIMIT)
        end = datetime.now(UTC).isoformat()
        alone, beside = (_listed(api, LIMITED_OPERATIONS, parallel=parallel, end=end) for parallel in (1, PARALLEL))
    ratio = beside["requests"] / alone["requests"]
    return [
        Figure(
            what="rate limit: requests",
            ours=beside["requests"],
            peer=alone["requests"],
            unit="",
            ratio=ratio,
            bound=MOST_UNDER_LIMIT,
            judged=ratio,
        ),
        Figure(what="rate limit: refused with a 429", ours=beside["refused"], peer=alone["refused"], unit=""),
        Figure(what="rate limit: time", ours=beside["seconds"], peer=alone["seconds"], unit="s"),
    ]


def _listed(api: SimulatedApi, count: int = OPERATIONS, *, parallel: int, end: str) -> dict[str, Any]:
    return _asked(api, lambda: apart(list_ours, count=count, parallel=parallel, end=end, **api.access))


def _asked(api: SimulatedApi, load: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run a load, and add to what it returns how many requests it sent and how many of them were refused."""
    api.forget_requests()
    found = load()
    counts = api.counts()
    return found | {"requests": counts["total"], "refused": counts["by_status"].get("429", 0)}


def _http_connection(api: SimulatedApi) -> dict[str, str]:
    return {"AIRFLOW_CONN_HTTP_DEFAULT": api.connection("http")}


def list_ours(count: int, parallel: int, end: str, **access: Any) -> dict[str, float]:
    """List the day up to a time, and check that nothing is lost and nothing comes twice."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

    load_what_a_task_has()
    window: Any = {"start_date": datetime.fromisoformat(end) - timedelta(days=1, minutes=5), "end_date": end}
    with CommsClient(ClientSettings(**access)) as client, spending(freeze=False) as spent:
        ids = [operation.id for operation in client.list_operations("emails", parallel=parallel, **window)]
    assert len(ids) == len(set(ids)) == count, (len(ids), len(set(ids)))
    return {"seconds": spent.seconds}


def list_with_operator() -> dict[str, float]:
    """List the same with the operator that Airflow has for APIs with pages."""
    load_what_a_task_has()
    with spending(freeze=False) as spent:
        count = list_with_http_operator()
    assert count == OPERATIONS, count
    return {"seconds": spent.seconds}

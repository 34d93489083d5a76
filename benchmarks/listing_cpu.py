"""
What a listing costs a worker: typed operations, each once, with retries and deadlines, beside a bare loop.

It matters because a daily report over all operations runs in a worker slot: its CPU is what the cluster pays for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.listing_peers import list_with_http_operator, list_with_requests, load_what_a_task_has
from benchmarks.measure import alternate, apart, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import simulated_api

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS = 100_000
ROUNDS = 5
MOST_TO_REQUESTS, MOST_TO_OPERATOR = Bound("≤", 1.5), Bound("≤", 0.9)
"""
Aimed for is 1.2 times as much as `requests` with `json`. HttpOperator parses each page twice, to find the next and to
filter, and takes 1.6 times as much: less than 0.6 of it would be less than parsing once.
"""


def run() -> Report:
    with simulated_api(emails=OPERATIONS) as api:
        spent = apart(list_in_turns, env={"AIRFLOW_CONN_HTTP_DEFAULT": api.connection("http")}, **api.access)
    return Report(
        "listing_cpu",
        "what does a listing cost in a task?",
        "requests + json; HttpOperator",
        [
            _figure("requests + json", spent["ours"], spent["requests"], MOST_TO_REQUESTS),
            _figure("HttpOperator", spent["ours"], spent["operator"], MOST_TO_OPERATOR),
        ],
        [f"CPU of all threads; medians of {ROUNDS} rounds in turn, in one process that has loaded Airflow."],
    )


def _figure(peer: str, ours: list[float], theirs: list[float], bound: Bound) -> Figure:
    return Figure.of_rounds(f"CPU of listing {OPERATIONS:,} operations; {peer}", ours, theirs, bound)


def list_in_turns(**access: Any) -> dict[str, list[float]]:
    """Return the seconds of CPU of each way to list, one value per round."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

    load_what_a_task_has()
    with CommsClient(ClientSettings(**access)) as client:
        loads: dict[str, Callable[[], int]] = {
            "ours": lambda: sum(1 for _ in client.list_operations("emails")),
            "requests": lambda: list_with_requests(**access),
            "operator": list_with_http_operator,
        }
        for load in loads.values():
            _cpu(load)  # The first time brings imports, and the simulator writes each operation once and keeps it.
        rounds = alternate(ROUNDS, *(lambda load=load: _cpu(load) for load in loads.values()))
    return dict(zip(loads, rounds, strict=True))


def _cpu(load: Callable[[], int]) -> float:
    with spending(freeze=False) as spent:
        count = load()
    assert count == OPERATIONS, count
    return spent.cpu

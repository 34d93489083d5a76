"""
Whether a listing's memory grows with what it lists.

It matters because workers are killed for memory, and the customers with a million operations are the ones who
notice. An operation that was handed out is gone; what stays is some bytes per id, to drop duplicates.
"""

from __future__ import annotations

from typing import Any

from benchmarks.measure import apart, peak_memory, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api

FEW, MANY, ALL = 10_000, 100_000, 1_000_000
PARALLEL = 8
MOST_GROWTH = Bound("≤", 30, "MB")


def run() -> Report:
    with simulated_api(emails=ALL) as api:
        figures = [*_figures(api, 1), *_figures(api, PARALLEL)]
    return Report(
        "listing_memory",
        "does memory grow with the number of operations?",
        "",
        figures,
        ["Much of the time is the simulator's, which writes each operation anew.", "The peak is of the whole process."],
    )


def _figures(api: SimulatedApi, parallel: int) -> list[Figure]:
    few, many, everything = (
        apart(list_some, limit=limit, parallel=parallel, **api.access) for limit in (FEW, MANY, ALL)
    )
    growth = everything["peak"] - few["peak"]
    how = f"parallel={parallel}"
    return [
        Figure(what=f"{how}: {MANY:,}", ours=many["seconds"], unit="s"),
        Figure(what=f"{how}: {ALL:,}", ours=everything["seconds"], unit="s"),
        Figure(what=f"{how}: peak of {FEW:,}", ours=few["peak"], unit="MB"),
        Figure(what=f"{how}: peak of {ALL:,}", ours=everything["peak"], unit="MB"),
        Figure(what=f"{how}: growth", ours=growth, unit="MB", bound=MOST_GROWTH, judged=growth),
    ]


def list_some(limit: int, parallel: int, **access: Any) -> dict[str, float]:
    """List operations and drop each; return the process's peak of memory and the time."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

    with CommsClient(ClientSettings(**access)) as client, spending() as spent:
        count = sum(1 for _ in client.list_operations("emails", limit=limit, parallel=parallel))
    assert count == limit, count
    return {"peak": peak_memory(), "seconds": spent.seconds}

"""
What retries, deadlines, dropping duplicates and a loop in a thread cost on top of reading the pages.

It matters because a daily report over all operations runs in a worker slot: its CPU is what the cluster pays for.
The peer is the least that anyone could do: httpx, pydantic, and a loop; the same models, the same pages.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.measure import alternate, apart, ratio_of, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import simulated_api

OPERATIONS = 100_000
ROUNDS = 7
MOST = Bound("≤", 1.25)


def run() -> Report:
    with simulated_api(emails=OPERATIONS) as api:
        # The simulator writes each operation once and keeps it; that is not to be part of the first round.
        apart(list_bare, **api.access)
        ours, bare = alternate(ROUNDS, lambda: apart(list_ours, **api.access), lambda: apart(list_bare, **api.access))
    ratio = ratio_of(ours, bare)
    figure = Figure(
        what=f"CPU of listing {OPERATIONS:,} operations",
        ours=median(ours),
        peer=median(bare),
        unit="s",
        ratio=ratio,
        bound=MOST,
        judged=ratio,
    )
    return Report(
        "listing_cpu",
        "how much dearer is a polite listing than a bare one?",
        "httpx + pydantic",
        [figure],
        [f"Medians of {ROUNDS} rounds, each in fresh processes; the first page, with the imports it brings, apart."],
    )


def list_ours(**access: Any) -> float:
    """Return the seconds of CPU of listing all operations with our client."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

    with CommsClient(ClientSettings(**access)) as client:
        _count(client.list_operations("emails", limit=1))
        with spending() as spent:
            count = _count(client.list_operations("emails"))
    assert count == OPERATIONS, count
    return spent.cpu


def list_bare(base_url: str, username: str, password: str) -> float:
    """Return the same for a bare loop, with no retry, no deadline and no eye on duplicates."""
    import httpx

    with httpx.Client(base_url=base_url, auth=(username, password)) as client:
        _count(_bare(client, limit=1))
        with spending() as spent:
            count = _count(_bare(client))
    assert count == OPERATIONS, count
    return spent.cpu


def _bare(client, limit=None):
    from airflow_provider_comms.comms.models import EmailOperation

    query = {"pageSize": "1000"}
    while True:
        answer = client.get("/v1/Emails/Operations", params=query).raise_for_status()
        body = answer.json()
        yield from map(EmailOperation.of_record, body["operations"])
        if limit or not (token := body["pagination"]["next"]):
            return
        query["pageToken"] = token


def _count(operations) -> int:
    """Walk through operations one by one, as any reader does."""
    return sum(1 for _ in operations)

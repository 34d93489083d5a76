"""Reports are made and messages are sent while many wait on the same connection."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from trials.bounds import WITHIN, requests_of

if TYPE_CHECKING:
    from trials.cluster import Cluster

OPERATIONS = 3_000
"""More than two pages of a list."""


def test_reports_are_made_while_many_wait(cluster: Cluster) -> None:
    trial, begun = cluster.trial("reports beside the waits"), time.time()
    api = cluster.api("reports")
    api.simulator.seed("messages", OPERATIONS, processing_for=0, spread=1800)
    waits = cluster.start_waits(api)
    cluster.wait_until_deferred(waits)
    now = datetime.now(UTC)
    conf = {"begin": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat(), "conn_id": api.conn_id}

    reports = cluster.airflow.start_run("reports", {**conf, "output": cluster.folder.as_uri()})
    waits.end_operations(over=20)
    cluster.airflow.wait_for_run(reports, seconds=120)
    reports.check()

    pages = list(cluster.folder.rglob("*.html"))
    assert len(pages) >= len(reports.tasks)
    # Each report lists both resources in slices.
    at_most = requests_of(waits, begun=begun, starts=1) + 100 * len(reports.tasks)
    figures = trial.end(waits, recovered_at=time.time(), at_most=at_most)
    figures.check(WITHIN)

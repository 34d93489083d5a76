"""Reports are made and messages are sent while many wait on the same connection."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest

from trials.bounds import WITHIN, requests_of

if TYPE_CHECKING:
    from pathlib import Path

    from trials.cluster import Cluster
    from trials.figures import Figures

OPERATIONS = 3_000
"""More than two pages of a list."""
RECIPIENTS = 50
SENDS = int(os.environ.get("TRIAL_SENDS", "20"))
REQUESTS = 100
"""Of a report, which lists both resources in slices; and of a send, which looks for itself before and after trouble."""


@pytest.fixture(scope="module")
def beside(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Wait for all of them; one send of ten is accepted and then cut off, another one throttled."""
    trial, begun = cluster.trial("reports and sends beside them"), time.time()
    api = cluster.api("reports_and_sends", send_plan={"processing_for": 5.0})
    simulator = api.simulator
    simulator.seed("messages", OPERATIONS, processing_for=0, spread=1800)
    simulator.fault("reset", route="send", accept=True, share=0.1)
    simulator.fault(429, route="send", share=0.1, retry_after=1)
    cluster.canaries["recipients"] = token_hex(8)
    folder = _write_recipients(tmp_path_factory.mktemp("recipients"), cluster.canaries["recipients"])
    waits = cluster.start_waits(api)
    cluster.wait_until_deferred(waits)

    now, conn_id = datetime.now(UTC), {"conn_id": api.conn_id}
    window = {"begin": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    runs = [
        cluster.airflow.start_run("reports", {**window, **conn_id, "output": cluster.folder.as_uri()}),
        cluster.airflow.start_run("sends", {"folder": str(folder), **conn_id}),
    ]
    waits.end_operations(over=20)
    for run in runs:
        cluster.airflow.wait_for_run(run, seconds=200)
        run.check()

    at_most = requests_of(waits, begun=begun, starts=1) + REQUESTS * sum(len(run.tasks) for run in runs)
    return trial.end(waits, recovered_at=time.time(), at_most=at_most)


def _write_recipients(folder: Path, canary: str) -> Path:
    for send in range(SENDS):
        rows = [{"address": f"{canary}-{send}-{number}@example.com"} for number in range(RECIPIENTS)]
        (folder / f"{send}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def test_no_wait_is_lost(beside: Figures) -> None:
    beside.check(WITHIN)


@pytest.mark.usefixtures("beside")
def test_each_report_is_there(cluster: Cluster) -> None:
    assert len(list(cluster.folder.rglob("*.html"))) >= int(os.environ["TRIAL_REPORTS"])


@pytest.mark.usefixtures("beside")
def test_each_recipient_was_sent_to_once(cluster: Cluster) -> None:
    (api,) = [one for one in cluster.apis if one.conn_id == "reports_and_sends"]

    accepted = api.simulator.accepted_recipients("emails")

    assert len(accepted) == SENDS * RECIPIENTS
    assert set(accepted.values()) == {1}

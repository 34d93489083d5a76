"""The example DAGs, in a distributed Airflow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trials.cluster import Cluster


def test_every_example_succeeds(cluster: Cluster) -> None:
    simulator = cluster.api("twilio_comms_default").simulator
    ids = [simulator.add_operation("emails", processing_for=8, recipients=100) for _ in range(3)]
    output, today = cluster.folder.as_uri(), datetime.now(UTC)

    runs = [
        cluster.airflow.start_run("comms_wait_and_report", {"resource": "emails", "operation_id": ids[0]}),
        cluster.airflow.start_run("comms_mapped_operations", {"operation_ids": ids[1:]}),
        cluster.airflow.start_run("comms_daily_report", {"output": output}, logical_date=today),
        cluster.airflow.start_run("comms_report_history", {"output": f"{output}/history"}, logical_date=today),
    ]

    for run in runs:
        cluster.airflow.wait_for_run(run, seconds=120)
        run.check()

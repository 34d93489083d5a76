"""The example DAGs, in a distributed Airflow."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.mailbox import Mailbox

if TYPE_CHECKING:
    from trials.cluster import Cluster

EXAMPLES = Path(__file__).parents[1] / "example_dags"
FAILS = "comms_alert_by_email"
"""What its failure is for, it has done then: it has sent an e-mail."""
WITHIN = 180.0


def test_every_example_does_what_it_is_for(cluster: Cluster, tmp_path: Path) -> None:
    simulator = cluster.api("twilio_comms_default", send_plan={"processing_for": 5.0}).simulator
    ids = [simulator.add_operation("emails", processing_for=8, recipients=100) for _ in range(4)]
    output, today = cluster.folder.as_uri(), datetime.now(UTC)
    confs: dict[str, dict[str, Any]] = {
        "comms_wait_and_report": {"resource": "emails", "operation_id": ids[0]},
        "comms_mapped_operations": {"operation_ids": ids[1:3]},
        "comms_delivery_deadline": {"operation_id": ids[3]},
        "comms_daily_report": {"output": output},
        "comms_report_history": {"output": f"{output}/history"},
        "comms_newsletter": {"folder": str(tmp_path)},
    }
    reports = {"comms_daily_report", "comms_report_history", "comms_final_report"}

    mailbox = cluster.keep(Mailbox())  # type: ignore[no-untyped-call]
    cluster.airflow.api.set_connection("smtp_default", json.loads(mailbox.connection))
    runs = [
        # Only a run with a logical date has a data interval, which these are about.
        cluster.airflow.start_run(dag_id, confs.get(dag_id), logical_date=today)
        if dag_id in reports
        else cluster.airflow.start_run(dag_id, confs.get(dag_id))
        for dag_id in sorted(file.stem for file in EXAMPLES.glob("*.py"))
    ]
    for run in runs:
        cluster.airflow.wait_for_run(run, seconds=WITHIN)

    for run in runs:
        if run.dag_id == FAILS:
            assert run.state == "failed"
        else:
            run.check()
    cluster.wait_for(lambda: simulator.accepted_recipients("emails")["on-call@example.com"], "the alert", seconds=30)

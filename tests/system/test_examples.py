from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local_airflow.airflow import LocalAirflow
    from local_airflow.simulator import Simulator

pytestmark = pytest.mark.system


def test_mapped_waits_add_up_what_they_delivered(airflow: LocalAirflow, simulator: Simulator) -> None:
    ids = [simulator.create_operation("emails", processing_for=seconds, recipients=10) for seconds in (0, 6)]

    run = airflow.run_dag("comms_mapped_operations", {"operation_ids": ids})
    run.check()

    assert [run.xcom("wait", map_index=index)["id"] for index in range(2)] == ids
    assert run.xcom("use_stats") == 20


def test_the_daily_report_lists_what_its_data_interval_holds(airflow: LocalAirflow, simulator: Simulator) -> None:
    yesterday = datetime.now(UTC).replace(hour=12, minute=0) - timedelta(days=1)
    simulator.create_operation("messages", processing_for=0, recipients=7, created_at=yesterday.isoformat())
    simulator.create_operation("messages", processing_for=0, recipients=5)

    run = airflow.run_dag("comms_daily_report", logical_date=datetime.now(UTC))
    run.check()

    report = run.xcom("report")
    assert report["emails"]["operations"] == 0
    assert report["messages"]["by_status"] == {"COMPLETED": 1}
    assert report["messages"]["figures"]["recipients"] == 7

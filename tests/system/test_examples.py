from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.system.together import started_together

if TYPE_CHECKING:
    from local_airflow.airflow import LocalAirflow
    from local_airflow.runs import Run
    from local_airflow.simulator import Simulator

pytestmark = pytest.mark.system


@started_together
def mapped(airflow: LocalAirflow, simulator: Simulator) -> tuple[Run, list[str]]:
    ids = [simulator.create_operation("emails", processing_for=seconds, recipients=10) for seconds in (0, 6)]
    return airflow.start_run("comms_mapped_operations", {"operation_ids": ids}), ids


def test_mapped_waits_add_up_what_they_delivered(mapped: tuple[Run, list[str]]) -> None:
    run, ids = mapped
    run.check()

    assert [run.xcom("wait", map_index=index)["id"] for index in range(2)] == ids
    assert run.xcom("use_stats") == 20


@started_together
def daily_report(airflow: LocalAirflow, simulator: Simulator) -> Run:
    yesterday = datetime.now(UTC).replace(hour=12, minute=0) - timedelta(days=1)
    simulator.create_operation("messages", processing_for=0, recipients=7, created_at=yesterday.isoformat())
    simulator.create_operation("messages", processing_for=0, recipients=5)
    return airflow.start_run("comms_daily_report", logical_date=datetime.now(UTC))


def test_the_daily_report_lists_what_its_data_interval_holds(daily_report: Run) -> None:
    daily_report.check()

    report = daily_report.xcom("report")
    assert report["emails"]["operations"] == 0
    assert report["messages"]["by_status"] == {"COMPLETED": 1}
    assert report["messages"]["figures"]["recipients"] == 7

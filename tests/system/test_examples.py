"""The examples under a real scheduler; the reports are of different days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from airflow import __version__ as airflow_version

from tests.system.together import started_together

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_airflow.airflow import LocalAirflow
    from local_airflow.runs import Run
    from local_airflow.simulator import Simulator
    from tests.mailbox import Mailbox
    from tests.system.together import Endings

pytestmark = pytest.mark.system

AIRFLOW = tuple(int(part) for part in airflow_version.split(".")[:2])
DAY = timedelta(days=1)
ON_CALL = "oncall@example.com"
UNTIL_TOLD = 10 * DAY.total_seconds()


def noon(days_ago: int) -> datetime:
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - days_ago * DAY


@started_together
def mapped(airflow: LocalAirflow, simulator: Simulator) -> tuple[Run, list[str]]:
    ids = [simulator.create_operation("emails", processing_for=seconds, recipients=10) for seconds in (0, 20)]
    return airflow.start_run("comms_mapped_operations", {"operation_ids": ids}), ids


def test_mapped_waits_add_up_what_they_delivered(mapped: tuple[Run, list[str]]) -> None:
    run, ids = mapped
    run.check()

    assert [run.xcom("wait", map_index=index)["id"] for index in range(2)] == ids
    assert run.xcom("use_stats") == 20


@started_together
def deadline(airflow: LocalAirflow, simulator: Simulator, mailbox: Mailbox, endings: Endings) -> Run:
    operation_id = simulator.create_operation("emails", processing_for=UNTIL_TOLD)
    endings.when(lambda: mailbox.to(ON_CALL), lambda: simulator.end_operation("emails", operation_id))
    return airflow.start_run("comms_delivery_deadline", {"operation_id": operation_id})


@pytest.mark.skipif(AIRFLOW < (3, 1), reason="DeadlineAlert came with Airflow 3.1")
def test_a_deadline_is_told_while_the_wait_goes_on(deadline: Run, mailbox: Mailbox) -> None:
    deadline.check()

    mail = mailbox.to(ON_CALL)[0]
    assert mail["Subject"] == f"Not delivered after two hours: {deadline.run_id}"
    assert "comms_operation_" in mail.get_body().get_content()


@started_together
def daily_report(
    airflow: LocalAirflow, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, Run]:
    """Of yesterday; and one that has no data interval, for REST started it without a logical date."""
    simulator.create_operation("messages", processing_for=0, recipients=7, created_at=noon(1).isoformat())
    simulator.create_operation("messages", processing_for=0, recipients=5)
    conf = {"mail_to": "boss@example.com", "output": str(tmp_path_factory.mktemp("reports"))}
    return (
        airflow.start_run("comms_daily_report", conf, logical_date=datetime.now(UTC)),
        airflow.start_run("comms_daily_report"),
    )


def test_the_daily_report_lists_what_its_data_interval_holds_and_is_mailed(
    daily_report: tuple[Run, Run], mailbox: Mailbox
) -> None:
    run, _ = daily_report
    run.check()

    report = run.xcom("report")
    assert report["emails"]["operations"] == 0
    assert report["messages"]["by_status"] == {"COMPLETED": 1}
    assert report["messages"]["figures"]["recipients"] == 7
    assert set(report["files"]) == {"jsonl.gz", "html"}
    (mail,) = mailbox.to("boss@example.com")
    assert mail["Subject"].startswith("Twilio Comms, ")
    assert "7 of 7 recipients reached" in mail.get_body().get_content()


def test_a_run_that_has_no_day_to_report_on_fails_at_once(daily_report: tuple[Run, Run]) -> None:
    _, run = daily_report

    assert (run.state, run.task("report").try_number) == ("failed", 1)
    log = run.log("report")
    assert "There is no window to report on: the run has no data interval." in log
    assert "CronDataIntervalTimetable" in log


@started_together
def final_report(airflow: LocalAirflow, simulator: Simulator, endings: Endings) -> Run:
    """Of the day before yesterday, of which one operation has not ended when the first try asks for it."""
    operation_id = simulator.create_operation("messages", processing_for=UNTIL_TOLD, created_at=noon(2).isoformat())
    run = airflow.start_run("comms_final_report", logical_date=datetime.now(UTC) - DAY)

    def has_failed_once() -> bool:
        task = run.task("report")
        return task.try_number > 1 or task.state == "up_for_retry"

    endings.when(has_failed_once, lambda: simulator.end_operation("messages", operation_id))
    return run


def test_a_report_that_must_be_complete_is_tried_again_until_it_is(final_report: Run) -> None:
    final_report.check()

    assert final_report.task("report").try_number > 1
    assert final_report.xcom("report")["messages"]["by_status"] == {"COMPLETED": 1}


@pytest.mark.skipif(AIRFLOW < (3, 3), reason="ExceptionRetryPolicy came with Airflow 3.3")
def test_a_retry_policy_knows_our_exceptions(airflow: LocalAirflow, final_report: Run) -> None:
    first = replace(final_report.task("report"), try_number=1)

    assert "Retry policy decision" in airflow.api.log(final_report.dag_id, first)


@started_together
def history(airflow: LocalAirflow, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Run:
    at = noon(3).isoformat()
    simulator.create_operation("messages", processing_for=0, recipients=100, failed=0.5, created_at=at)
    conf = {"output": str(tmp_path_factory.mktemp("history"))}
    return airflow.start_run("comms_report_history", conf, logical_date=datetime.now(UTC))


def test_a_broken_limit_takes_the_alert_branch(history: Run) -> None:
    assert history.states == {"history": "failed", "alert": "success"}
    assert "reached = " in history.xcom("alert")


def test_workers_and_triggerer_send_metrics(
    mapped: tuple[Run, list[str]], daily_report: tuple[Run, Run], metrics_so_far: Callable[[], list[str]]
) -> None:
    names = {line.partition(":")[0] for line in metrics_so_far()}

    assert "airflow.comms.poll.duration,resource=emails" in names
    assert "airflow.comms.wait.ended,resource=emails,outcome=finished" in names
    assert "airflow.comms.request,resource=messages,method=GET,status=200" in names

"""What `make demo` prints stands in the docs, and fits a terminal of 80 columns whatever the numbers."""

from __future__ import annotations

import io
import runpy
from pathlib import Path

import pytest
from rich.console import Console

from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from demo.progress import counters, live_table, workers
from demo.recipients import COUNTS, write_recipients
from demo.report import Result, report_table
from demo.run import DAG_FILE, SEND_PLAN
from demo.watch import SEND, STATS, USE, WAIT, Progress, Snapshot
from local_airflow.rest import Slots
from local_airflow.worker_time import WorkerTime

PAGE = Path(__file__).parents[2] / "docs" / "stats.md"
TIMES = ("waited", "holding a worker", "deferred, holding none")
LARGE = 9_999_999
RESOURCES = ("emails", "messages")


def printed(block, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(block)
    return console.file.getvalue()


@pytest.fixture
def results(comms_connection, comms_simulator):
    def result(resource, recipients):
        plan = {name: value for name, value in SEND_PLAN.items() if (resource, name) != ("emails", "unaddressable")}
        operation_id = comms_simulator.add_operation(resource, age=3600, recipients=recipients, **plan)
        xcom = CommsExportStatsOperator(task_id=STATS, resource=resource, operation_id=operation_id).execute({})
        return Result(resource, (recipients, 0), f"{resource}.{STATS}", xcom, WorkerTime(waited=21.3, held=0.8))

    return lambda **counts: [result(*pair) for pair in counts.items()]


def test_the_docs_show_what_it_ends_with(results):
    shown = PAGE.read_text().split("`make demo` ends with this table:\n\n```output\n")[1].split("```")[0]

    assert without_times(shown) == without_times(printed(report_table(results(**COUNTS)), 80))


def without_times(table):
    return [line.rstrip() for line in table.splitlines() if not line.strip("│ ").startswith(TIMES)]


def test_the_report_does_not_fold(results):
    table = report_table(results(emails=LARGE, messages=LARGE))

    assert printed(table, 80) == printed(table, 300)


def test_the_live_table_does_not_fold():
    tasks = dict.fromkeys((SEND, WAIT, STATS, USE), "up_for_retry")
    counts = dict.fromkeys(("queued", "sent", "delivered", "opened", "read", "failed", "unaddressable"), LARGE)
    snapshot = Snapshot([Progress(resource, tasks, "PROCESSING", counts) for resource in RESOURCES], Slots(2, 2, 2))

    assert printed(live_table(snapshot), 80) == printed(live_table(snapshot), 300)
    assert counters(snapshot.flows[0]).startswith("queued 9,999,999, sent 9,999,999")
    assert workers(snapshot.slots) == "2 of 2 worker slots in use; 2 deferred, waiting without a worker"


def test_the_recipients_are_many_and_nobody_twice(tmp_path):
    for resource, path in write_recipients(tmp_path).items():
        header, *rows = Path(path).read_text().splitlines()

        assert header == "address,first_name,city"
        assert len(rows) == len({row.split(",")[0] for row in rows}) == COUNTS[resource]


def test_the_demo_sends_to_2500_people_and_shows_all_examples(tmp_path):
    from demo.run import PROJECT, _dags_folder

    names = {file.name for file in _dags_folder(tmp_path).iterdir()}

    assert COUNTS["emails"] == 2500
    assert names == {"comms_demo.py", *(file.name for file in (PROJECT / "example_dags").glob("*.py"))}


def test_its_dag_sends_waits_and_reports(comms_airflow, comms_simulator, tmp_path):
    comms_simulator.change_settings(send_plan=SEND_PLAN | {"processing_for": 1})
    dag = runpy.run_path(str(DAG_FILE))["dag"]

    run = comms_airflow(dag, conf=write_recipients(tmp_path))

    assert set(run.states.values()) == {"success"}
    assert comms_simulator.accepted_recipients("emails").total() == 2500
    assert set(comms_simulator.accepted_recipients("messages").values()) == {1}
    assert run.xcom("emails.use_stats") == "2,400 of 2,500 reached (96.0 %)"
    assert run.xcom("messages.use_stats") == "752 of 800 reached (94.0 %)"
    assert not any("reader0001@example.com" in log for log in run.logs.values())

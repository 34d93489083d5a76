"""The docs show what `make demo` prints at its end; only how long the waits took differs from run to run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from demo.output import WIDTH_WITHOUT_TERMINAL
from demo.report import Result, report_table
from demo.run import PLANS, STATS_KEY, STATS_TASK
from local_airflow.worker_time import WorkerTime

PAGE = Path(__file__).parents[2] / "docs" / "stats.md"
TIMES = ("waited", "holding a worker", "deferred, holding none")


@pytest.fixture
def results(comms_simulator, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", comms_simulator.connection_json())

    def result(resource, plan):
        operation_id = comms_simulator.add_operation(resource, age=3600, **plan)
        xcom = CommsExportStatsOperator(task_id=STATS_TASK, resource=resource, operation_id=operation_id).execute({})
        return Result(resource, f"demo_{resource}", STATS_TASK, STATS_KEY, xcom, WorkerTime(waited=21.3, held=0.8))

    return [result(resource, plan) for resource, plan in PLANS.items()]


def test_the_docs_show_what_the_demo_prints(results):
    printed = io.StringIO()
    Console(file=printed, width=WIDTH_WITHOUT_TERMINAL).print(report_table(results))
    shown = PAGE.read_text().split("`make demo` ends with:\n\n```text\n")[1].split("```")[0]

    assert _without_times(shown) == _without_times(printed.getvalue())


def _without_times(table):
    return [line.rstrip() for line in table.splitlines() if not line.strip("│ ").startswith(TIMES)]

"""The end of the demo: the delivery stats, where they came from, and how long a worker was held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_airflow.worker_time import WorkerTime


@dataclass(frozen=True)
class Result:
    """
    What one send left in Airflow.

    :param resource: ``emails`` or ``messages``
    :param accepted: how many recipients the API accepted, how many of them more than once
    :param task_id: the task that left ``xcom``
    :param time: how long the wait took, and held a worker
    """

    resource: str
    accepted: tuple[int, int]
    task_id: str
    xcom: Mapping[str, Any]
    time: WorkerTime


def report_table(results: list[Result]) -> Table:
    """Return everything about the results as one table, a column for each."""
    table = Table("", *[result.resource for result in results])
    for column in table.columns[1:]:
        column.justify = "right"

    table.add_row("accepted by the API", *[f"{result.accepted[0]:,}" for result in results])
    table.add_row("more than once", *[f"{result.accepted[1]:,}" for result in results])
    table.add_section()
    for name in _names(results, "stats"):
        table.add_row(name, *[_count(result.xcom["stats"].get(name)) for result in results])
    table.add_section()
    for name in _names(results, "rates"):
        table.add_row(name, *[_rate(result.xcom["rates"].get(name)) for result in results])
    table.add_section()
    table.add_row("from the XCom of", *[result.task_id for result in results])
    table.add_section()
    table.add_row("waited", *[_seconds(result.time.waited) for result in results])
    table.add_row("holding a worker", *[_seconds(result.time.held) for result in results])
    table.add_row("deferred, holding none", *[_seconds(result.time.deferred) for result in results])
    return table


def _names(results: list[Result], part: str) -> list[str]:
    """Return the names of all counters or rates that are not 0 everywhere, in order of appearance."""
    return list(dict.fromkeys(name for result in results for name, value in result.xcom[part].items() if value))


def _count(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate * 100:.1f} %"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s"

"""DAG runs that are started together, once Airflow is healthy, and then waited for: most of a run is waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local_airflow.runs import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_airflow.airflow import LocalAirflow

STARTS: dict[str, Callable[..., Any]] = {}
"""By fixture, what starts its run."""
RUN_SECONDS = 180.0


def started_together(start: Callable[..., Any]) -> Any:
    """
    Make a session fixture of a function that starts a DAG run; the fixture gives the run, when it has ended.

    The runs of all collected tests are started before one of them is waited for: together they take as long as their
    tasks compute, not as long as they wait.

    :param start: may take session fixtures of the conftest; returns the run, or a tuple with runs in it. Its name is
        the only one of its kind in this folder.
    """
    name = start.__name__
    STARTS[name] = start

    @pytest.fixture(scope="session", name=name)
    def ended(airflow: LocalAirflow, started_runs: dict[str, Any]) -> Any:
        wait_for_runs(airflow, started_runs[name])
        return started_runs[name]

    return ended


def wait_for_runs(airflow: LocalAirflow, started: Any) -> None:
    """Wait until each run in what a start returned has ended."""
    if isinstance(started, Run):
        airflow.wait_for_run(started, RUN_SECONDS)
    elif isinstance(started, tuple):
        for one in started:
            wait_for_runs(airflow, one)

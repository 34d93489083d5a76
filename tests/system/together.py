"""DAG runs that are started together, once Airflow is healthy, and then waited for: most of a run is waiting."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import httpx
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


class Endings:
    """
    Lets operations go on until their tasks are where a test wants them: a busy machine gets there late.

    Use it as ``with Endings() as endings:``.
    """

    def __init__(self) -> None:
        self._pending: list[tuple[Callable[[], object], Callable[[], None]]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def when(self, reached: Callable[[], object], end: Callable[[], None]) -> None:
        """Call ``end`` once, when ``reached`` is true."""
        self._pending.append((reached, end))

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            for pending in list(self._pending):
                reached, end = pending
                with suppress(httpx.HTTPError):  # Airflow is restarted, or busy.
                    if reached():
                        end()
                        self._pending.remove(pending)

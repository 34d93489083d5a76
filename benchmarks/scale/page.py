"""The tables of `docs/scale.md`, as the model has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.scale.airflow_share import AirflowShare
from benchmarks.scale.model import Load, Poll

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOADS = (
    Load(waits=1_000),
    Load(waits=10_000),
    Load(waits=100_000, triggerers=1),
    Load(waits=100_000, triggerers=10),
    Load(waits=1_000_000, triggerers=10),
    Load(waits=1_000_000, triggerers=100),
    Load(waits=1_000_000, ids_per_task=100),
)


def poll_table() -> list[str]:
    """Return what the polls of all triggerers cost."""
    return _table(
        {
            "requests a second": lambda load: _about(Poll(load).requests_per_second),
            "a poll for each wait": lambda load: _about(Poll(load).peer_requests_per_second),
            "a look takes": lambda load: _span(Poll(load).look.seconds),
            "an end is seen within": lambda load: _span(Poll(load).round + Poll(load).look.seconds),
            "cores of a triggerer": lambda load: _about(Poll(load).core),
            "with a poll for each": lambda load: _about(Poll(load).peer_core),
            "its loop is held up for": lambda load: _span(Poll(load).look.holds_loop),
            "its memory": lambda load: f"{_about(Poll(load).memory / 1e9)} GB",
        }
    )


def airflow_table() -> list[str]:
    """Return what Airflow itself does beside them."""
    return _table(
        {
            "rows": lambda load: _about(AirflowShare(load).rows),
            "statements a second": lambda load: _about(AirflowShare(load).statements_per_second),
            "cores of the database": lambda load: _about(AirflowShare(load).database_cores),
            "events are handed over": lambda load: f"{_about(AirflowShare(load).supervisor_time * 100)} % of the time",
            "a restart takes": lambda load: _span(AirflowShare(load).taken_over_after),
            "worker starts a second": lambda load: _about(AirflowShare(load).starts_per_second),
            "cores of the workers": lambda load: _about(AirflowShare(load).worker_cores),
        }
    )


def _table(columns: Mapping[str, Callable[[Load], str]]) -> list[str]:
    names = ["waits", "triggerers", *columns]
    rows = [[_waits(load), f"{load.triggerers}", *(cell(load) for cell in columns.values())] for load in LOADS]
    return [f"| {' | '.join(row)} |" for row in [names, ["---"] * len(names), *rows]]


def _waits(load: Load) -> str:
    many = f", {load.ids_per_task} to a task" if load.ids_per_task > 1 else ""
    return f"{load.waits:,}{many}"


def _about(number: float) -> str:
    """Return a number with two digits that count, for the model knows no more."""
    return f"{float(f'{number:.2g}'):,.10g}"


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{_about(seconds * 1000)} ms"
    return f"{_about(seconds)} s" if seconds < 100 else f"{_about(seconds / 60)} min"

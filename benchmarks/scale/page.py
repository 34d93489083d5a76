"""
The tables of `docs/scale.md`, as the model has them.

`python -m benchmarks.scale.page` writes them into the page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.scale.airflow_share import AirflowShare
from benchmarks.scale.model import Load, Poll

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
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
            "requests per second": lambda load: _about(Poll(load).requests_per_second),
            "with a poll per wait": lambda load: _about(Poll(load).peer_requests_per_second),
            "a poll cycle takes": lambda load: _span(Poll(load).cycle.seconds),
            "an end is detected within": lambda load: _span(Poll(load).round + Poll(load).cycle.seconds),
            "cores per triggerer": lambda load: _about(Poll(load).core),
            "cores with a poll per wait": lambda load: _about(Poll(load).peer_core),
            "its event loop is blocked for": lambda load: _span(Poll(load).cycle.blocks_loop),
            "its memory": lambda load: f"{_about(Poll(load).memory / 1e9)} GB",
        }
    )


def airflow_table() -> list[str]:
    """Return what Airflow itself does beside them."""
    return _table(
        {
            "rows": lambda load: _about(AirflowShare(load).rows),
            "statements per second": lambda load: _about(AirflowShare(load).statements_per_second),
            "database cores": lambda load: _about(AirflowShare(load).database_cores),
            "supervisor busy with events": lambda load: f"{_about(AirflowShare(load).supervisor_time * 100)} %",
            "a restart takes": lambda load: _span(AirflowShare(load).taken_over_after),
            "worker starts per second": lambda load: _about(AirflowShare(load).starts_per_second),
            "worker cores": lambda load: _about(AirflowShare(load).worker_cores),
        }
    )


def _table(columns: Mapping[str, Callable[[Load], str]]) -> list[str]:
    names = ["waits", "triggerers", *columns]
    rows = [[_waits(load), f"{load.triggerers}", *(cell(load) for cell in columns.values())] for load in LOADS]
    return [f"| {' | '.join(row)} |" for row in [names, ["---"] * len(names), *rows]]


def _waits(load: Load) -> str:
    many = f", {load.ids_per_task} per task" if load.ids_per_task > 1 else ""
    return f"{load.waits:,}{many}"


def _about(number: float) -> str:
    """Return a number with two significant digits; the model is no more precise."""
    return f"{float(f'{number:.2g}'):,.10g}"


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{_about(seconds * 1000)} ms"
    return f"{_about(seconds)} s" if seconds < 100 else f"{_about(seconds / 60)} min"


TABLES = {"scale_poll": poll_table, "scale_airflow": airflow_table}


def with_tables(text: str) -> str:
    """Return the page with its tables replaced by those of the model."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        text = re.sub(f"{begin}\n.*?{end}", "\n".join([begin, *table(), end]), text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))

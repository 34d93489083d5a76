"""The result on standard output, in the formats that Airflow's own commands have. Numbers stay numbers."""

from __future__ import annotations

import json
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.cli.exits import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    Rows = Sequence[dict[str, Any]]

UNFOLDED = 10_000
"""Columns of a file or a pipe, where no line is folded."""


def print_rows(rows: Rows, output: str) -> None:
    """
    Print rows.

    :param output: "json" or "yaml", for values of any kind; "table" or "plain", for texts and numbers.
    """
    write(_FORMATS[output](rows))


def print_operations(operations: Rows, output: str) -> None:
    """Print operations in the form of their XCom; on one line each in the formats for people."""
    is_for_people = output in ("table", "plain")
    print_rows([_flat(one) for one in operations] if is_for_people else operations, output)


def write(text: str) -> None:
    """
    Write to standard output, now.

    :raises OutputError: it is closed, or nothing more can be written to it.
    :raises BrokenPipeError: its reader has closed it.
    """
    if sys.stdout is None:
        raise OutputError("Could not write the result: standard output is closed.")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"Could not write the result: {error.strerror}.") from None


def _flat(operation: dict[str, Any]) -> dict[str, Any]:
    to_the_second = f"{operation['created_at'][:19]}Z"
    counters = stats_text(operation["stats"])
    return {"id": operation["id"], "status": operation["status"], "created_at": to_the_second, "counters": counters}


def stats_text(stats: Mapping[str, int], leave_out: Container[str] = ()) -> str:
    """Return counters on one line, such as `recipients=10 sent=7`; zeros are left out."""
    return " ".join(f"{name}={value}" for name, value in stats.items() if value and name not in leave_out)


def _json(rows: Rows) -> str:
    return f"{json.dumps(rows, indent=2)}\n"


def _yaml(rows: Rows) -> str:
    import yaml

    return str(yaml.safe_dump(list(rows), sort_keys=False))


def _table(rows: Rows) -> str:
    from rich.box import ASCII_DOUBLE_HEAD

    return _columns(rows, box=ASCII_DOUBLE_HEAD, show_edge=False)


def _plain(rows: Rows) -> str:
    return _columns(rows, box=None, padding=(0, 2, 0, 0), header_style="none")


def _columns(rows: Rows, **style: Any) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return "No data found\n"
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    drawn = StringIO()
    console = Console(file=drawn, force_terminal=is_terminal, width=None if is_terminal else UNFOLDED)
    table = Table(**style)
    for name in rows[0]:
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row.values()))
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines())


_FORMATS: dict[str, Callable[[Rows], str]] = {"table": _table, "json": _json, "yaml": _yaml, "plain": _plain}

"""The result on standard output, in the formats that Airflow's own commands have. Numbers stay numbers."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    Rows = Sequence[dict[str, Any]]

WIDE = 10_000
"""Columns where nobody looks: a line is never folded in a file or a pipe."""


def print_rows(rows: Rows, form: str) -> None:
    """
    Print rows.

    :param form: "json" or "yaml", which take values of any kind; "table" or "plain", which take texts and numbers.
    """
    _PRINTERS[form](rows)


def print_operations(operations: Rows, form: str) -> None:
    """Print operations in the form of their XCom; on one line each where the form is one for people."""
    is_for_people = form in ("table", "plain")
    print_rows([_flat(one) for one in operations] if is_for_people else operations, form)


def _flat(operation: dict[str, Any]) -> dict[str, Any]:
    to_the_second = f"{operation['created_at'][:19]}Z"
    counters = stats_text(operation["stats"])
    return {"id": operation["id"], "status": operation["status"], "created_at": to_the_second, "counters": counters}


def stats_text(stats: Mapping[str, int], leave_out: Container[str] = ()) -> str:
    """Return counters on one line, such as `recipients=10 sent=7`; zeros are left out."""
    return " ".join(f"{name}={value}" for name, value in stats.items() if value and name not in leave_out)


def _print_json(rows: Rows) -> None:
    sys.stdout.write(json.dumps(rows, indent=2) + "\n")


def _print_yaml(rows: Rows) -> None:
    import yaml

    yaml.safe_dump(list(rows), sys.stdout, sort_keys=False)


def _print_plain(rows: Rows) -> None:
    cells = [[str(value) for value in row.values()] for row in rows]
    lines = [list(rows[0]), *cells] if rows else [["No data found"]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _print_table(rows: Rows) -> None:
    from rich.box import ASCII_DOUBLE_HEAD
    from rich.console import Console
    from rich.table import Table

    if not rows:
        sys.stdout.write("No data found\n")
        return
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    table = Table(box=ASCII_DOUBLE_HEAD, show_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    # Written by ourselves: rich would end the process where the reader has left.
    with console.capture() as drawn:
        console.print(table, markup=False)
    sys.stdout.write(drawn.get())


_PRINTERS: dict[str, Callable[[Rows], None]] = {
    "table": _print_table,
    "json": _print_json,
    "yaml": _print_yaml,
    "plain": _print_plain,
}

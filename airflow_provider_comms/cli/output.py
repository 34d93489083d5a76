"""The result on standard output, in the formats that Airflow's own commands have. Numbers stay numbers."""

from __future__ import annotations

import json
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.cli.exits import OutputError
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.rates import percent
from airflow_provider_comms.reports.rows import DERIVED
from airflow_provider_comms.reports.words import number
from airflow_provider_comms.reports.writers import write_csv
from airflow_provider_comms.waiting.description import shown_status
from airflow_provider_comms.waiting.targets import shown_id

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from airflow_provider_comms.comms.sending.results import Sighting
    from airflow_provider_comms.xcoms import OperationXCom

    Rows = Sequence[Mapping[str, object]]

_LONGEST_NAME = 40
UNFOLDED = 10_000
"""Columns of a file or a pipe, where no line is folded."""


def print_rows(rows: Rows, output: str) -> None:
    """
    Print rows.

    :param output: "json" or "yaml", for values of any kind; "table", "plain" or "csv", for texts and numbers.
    """
    write(_drawn(rows, output))


def print_operations(operations: Sequence[OperationXCom], output: str) -> None:
    """Print operations in the form of their XCom; on one line each in the formats for people."""
    flatten = {"table": _line, "plain": _line, "csv": _cells}.get(output)
    print_rows([flatten(one) for one in operations] if flatten else operations, output)


def print_sighting(resource: str, tag: str, sighting: Sighting, output: str) -> None:
    """Print what a look-up by tag has found; on one line in the formats for people."""
    seen = {"found": sighting.found, "resource": resource, "tag": tag}
    if output in ("json", "yaml"):
        row = {**seen, "operation_ids": [*sighting.operation_ids], "tags": {**sighting.tags}}
    else:
        found = {True: "yes", False: "no", None: "cannot tell"}[sighting.found]
        row = {**seen, "found": found, "operation_ids": " ".join(sighting.operation_ids)}
    print_rows([row], output)


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


def _line(operation: OperationXCom) -> dict[str, object]:
    to_the_second = f"{operation['created_at'][:19]}Z"
    return {
        "id": shown_id(operation["id"]),
        "status": shown_status(operation["status"]),
        "created_at": to_the_second,
        "reached": percent(operation["rates"]["reached_of_recipients"]),
        "counters": stats_text(operation["stats"]),
    }


def _cells(operation: OperationXCom) -> dict[str, object]:
    """Return a row with the same columns for every operation of the resource."""
    stats, resource = operation["stats"], Resource(operation["resource"])
    other = {name: value for name, value in stats.items() if name not in resource.counters}
    return {
        **{name: value for name, value in operation.items() if isinstance(value, str)},
        **{name: stats.get(name) for name in resource.counters},
        "other_counters": json.dumps(other) if other else None,
        **{name: operation["figures"][name] for name in DERIVED},
        **operation["rates"],
    }


def stats_text(stats: Mapping[str, int], leave_out: Container[str] = ()) -> str:
    """Return counters on one line, such as `recipients=10 sent=7`; zeros are left out."""
    return " ".join(
        f"{excerpt(name, length=_LONGEST_NAME)}={number(value).replace(',', '')}"
        for name, value in stats.items()
        if value and name not in leave_out
    )


def _drawn(rows: Rows, output: str) -> str:
    match output:
        case "json":
            return f"{json.dumps(rows, indent=2)}\n"
        case "yaml":
            import yaml

            return str(yaml.safe_dump(list(rows), sort_keys=False))
        case "csv":
            drawn = StringIO()
            write_csv(rows, drawn)
            return drawn.getvalue()
        case "plain":
            return _columns(rows, box=None, padding=(0, 2, 0, 0), header_style="none")
    from rich.box import ASCII_DOUBLE_HEAD

    return _columns(rows, box=ASCII_DOUBLE_HEAD, show_edge=False)


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

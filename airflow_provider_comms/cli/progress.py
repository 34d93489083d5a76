"""A live picture of a wait on a terminal's standard error; nothing where nobody watches."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_comms.cli.output import stats_text
from airflow_provider_comms.comms.resource import OperationStatus
from airflow_provider_comms.reports.figures import recipients_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.progress import TaskID

_COLORS = {"COMPLETED": "green", "CANCELED": "yellow"}
_SAID_BY_THE_BAR = ("total", "attempts", "scheduled")
_ID_SHOWN = 12


class Progress:
    """
    One bar per operation, for as long as it is used as a context manager.

    :param console: where it is drawn; it draws only on a terminal.
    :param resource: kind of the operations.
    :param operation_ids: all that are waited for.
    """

    def __init__(self, console: Console, resource: str, operation_ids: Sequence[str]) -> None:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars
        from rich.table import Column

        self._is_watched = console.is_terminal
        # Where there is too little room, the counters at the end lose it.
        whole, rest = Column(no_wrap=True), Column(no_wrap=True, overflow="ellipsis", ratio=1)
        self._bars = Bars(
            TextColumn("{task.description}", table_column=whole),
            TextColumn("{task.fields[status]}", table_column=whole),
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counters]}", markup=False, table_column=rest),
            console=console,
            expand=True,
        )
        self._tasks: dict[str, TaskID] = {
            one: self._bars.add_task(f"{resource} {_short(one)}", total=None, status="...", counters="")
            for one in operation_ids
        }

    def __enter__(self) -> Self:
        if self._is_watched:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_watched:
            self._bars.stop()

    def show(self, operations: Sequence[Mapping[str, Any]]) -> None:
        """
        Draw what was last seen.

        :param operations: in the form of their XCom.
        """
        for one in operations:
            status, color = one["status"], _COLORS.get(one["status"], "cyan")
            done, whole = progress_of(status, one["stats"])
            self._bars.update(
                self._tasks[one["id"]],
                completed=done,
                total=whole,
                status=f"[{color}]{status}[/]",
                counters=stats_text(one["stats"], leave_out=_SAID_BY_THE_BAR),
            )
        if self._is_watched:
            self._bars.refresh()


def progress_of(status: str, counters: Mapping[str, int]) -> tuple[int, int | None]:
    """
    Return how many recipients no longer wait for their turn, and how many there are; None if nobody can tell.

    What is queued or scheduled is taken off the whole; the other counters are no partition and must not be added.
    """
    whole = recipients_of(counters)
    if status == OperationStatus.COMPLETED:
        return max(whole, 1), max(whole, 1)
    if not whole:
        return 0, None
    return max(0, whole - counters.get("queued", 0) - counters.get("scheduled", 0)), whole


def _short(operation_id: str) -> str:
    return operation_id if len(operation_id) <= _ID_SHOWN else f"…{operation_id[-_ID_SHOWN:]}"


class Lines(logging.Handler):
    """
    Writes log lines above the bars.

    :param console: the one that the bars are drawn on.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        self._console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)


def stderr_console() -> Console:
    """Return a console on standard error."""
    from rich.console import Console

    return Console(file=sys.stderr)


def logger_on(console: Console, *, verbose: bool) -> logging.Logger:
    """Return a log that goes to the console and nowhere else; warnings only unless verbose."""
    log = logging.getLogger("airflow_provider_comms.cli")
    log.setLevel(logging.INFO if verbose else logging.WARNING)
    log.handlers = [Lines(console)]
    log.propagate = False
    return log

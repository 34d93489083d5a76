"""A live view of a wait, on a terminal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rich.highlighter import NullHighlighter
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from airflow_provider_comms.cli.output import stats_text
from airflow_provider_comms.comms.resource import OperationStatus
from airflow_provider_comms.reports.figures import recipients_of
from airflow_provider_comms.waiting.description import shown_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from airflow_provider_comms.xcoms import OperationXCom

_COLORS = {"COMPLETED": "green", "CANCELED": "yellow"}
_SHOWN_BY_THE_BAR = ("total", "attempts", "scheduled")
_ID_LENGTH = 12


class WaitProgress(Progress):
    """
    One bar per operation, for as long as it is used as a context manager.

    :param console: where it is drawn; only if that is a terminal.
    :param resource: kind of the operations.
    :param operation_ids: all that are waited for.
    """

    def __init__(self, console: Console, resource: str, operation_ids: Sequence[str]) -> None:
        # Where there is too little room, the counters at the end lose it.
        whole, rest = Column(no_wrap=True), Column(no_wrap=True, overflow="ellipsis", ratio=1)
        super().__init__(
            TextColumn("{task.description}", table_column=whole),
            TextColumn("{task.fields[status]}", table_column=whole),
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counters]}", markup=False, table_column=rest),
            console=console,
            expand=True,
            disable=not console.is_terminal,
        )
        self._bars = {
            one: self.add_task(f"{resource} {_short(one)}", total=None, status="...", counters="")
            for one in operation_ids
        }

    def stop(self) -> None:
        """Leave the bars as they are now. Older versions of rich write a blank line where there are none."""
        if not self.disable:
            super().stop()

    def show(self, operations: Sequence[OperationXCom]) -> None:
        """
        Draw the latest state.

        :param operations: in the form of their XCom.
        """
        for one in operations:
            status, color = one["status"], _COLORS.get(one["status"], "cyan")
            done, total = progress_of(status, one["stats"])
            self.update(
                self._bars[one["id"]],
                completed=done,
                total=total,
                status=f"[{color}]{escape(shown_status(status))}[/]",
                counters=stats_text(one["stats"], leave_out=_SHOWN_BY_THE_BAR),
            )
        self.refresh()


def progress_of(status: str, counters: Mapping[str, int]) -> tuple[int, int | None]:
    """
    Return how many recipients are no longer queued or scheduled, and how many there are; None if that is unknown.

    The other counters cannot be added up: a recipient may count in several of them.
    """
    total = recipients_of(counters)
    if status == OperationStatus.COMPLETED:
        return max(total, 1), max(total, 1)
    if not total:
        return 0, None
    return max(0, total - counters.get("queued", 0) - counters.get("scheduled", 0)), total


def _short(operation_id: str) -> str:
    return operation_id if len(operation_id) <= _ID_LENGTH else f"…{operation_id[-_ID_LENGTH:]}"


def log_above_bars(console: Console) -> logging.Handler:
    """Return a log handler that writes above the bars of a terminal, or plainly where there are none."""
    if not console.is_terminal:
        return logging.StreamHandler()
    return RichHandler(
        console=console, show_time=False, show_level=False, show_path=False, highlighter=NullHighlighter(), keywords=[]
    )

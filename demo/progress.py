"""The progress of the sends: a live table on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.output import Output
    from demo.watch import Progress, Snapshot
    from local_airflow.rest import Slots

    Show = Callable[[Snapshot], None]

COLOURS = {
    "running": "bright_green",
    "success": "green",
    "deferred": "medium_purple1",
    "failed": "bold red",
    "up_for_retry": "yellow",
    "none": "dim",
}
SHOWN_COUNTERS = ("queued", "sent", "delivered", "opened", "read", "failed", "undelivered", "unaddressable")
SECONDS_BETWEEN_COUNTER_LINES = 5.0


@contextmanager
def show_progress(output: Output) -> Iterator[Show]:
    """Return what shows each snapshot, in the way that suits the output."""
    if not output.console.is_terminal:
        yield PlainProgress(output).show
        return
    with Live(console=output.console, auto_refresh=False) as live:
        yield lambda snapshot: live.update(live_table(snapshot), refresh=True)


def live_table(snapshot: Snapshot) -> Group:
    """Return both sends as one table, a column for each, with the workers below it."""
    flows = snapshot.flows
    table = Table("", *[flow.resource for flow in flows])
    for column in table.columns[1:]:
        column.justify, column.min_width = "right", 12
    for name in flows[0].tasks:
        states = [flow.tasks[name] for flow in flows]
        table.add_row(f"task {name}", *[Text(state, COLOURS.get(state, "")) for state in states])
    table.add_section()
    table.add_row("operation", *[flow.status for flow in flows])
    for name in SHOWN_COUNTERS:
        if any(flow.counters.get(name) for flow in flows):
            table.add_row(name, *[f"{flow.counters.get(name, 0):,}" for flow in flows])
    return Group(table, Text(workers(snapshot.slots), "bold"))


class PlainProgress:
    """Lines for what has changed."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._last: dict[str, str] = {}
        self._counted_at = time.monotonic()

    def show(self, snapshot: Snapshot) -> None:
        """Print what differs from the snapshot before."""
        for progress in snapshot.flows:
            self._show_tasks(progress)
            self._log_if_new(f"{progress.resource}: operation", progress.status)
        self._show_counters(snapshot)
        self._log_if_new("workers:", workers(snapshot.slots))

    def _show_tasks(self, progress: Progress) -> None:
        for task, state in progress.tasks.items():
            if state not in {"none", "scheduled", "queued"}:
                self._log_if_new(f"{progress.resource}: task {task}", state)

    def _show_counters(self, snapshot: Snapshot) -> None:
        if time.monotonic() - self._counted_at < SECONDS_BETWEEN_COUNTER_LINES:
            return
        self._counted_at = time.monotonic()
        for progress in snapshot.flows:
            if line := counters(progress):
                self._log_if_new(f"{progress.resource}:", line)

    def _log_if_new(self, what: str, value: str) -> None:
        if self._last.get(what) != value:
            self._last[what] = value
            self._output.log(f"{what} {value}")


def counters(progress: Progress) -> str:
    """Return the counters that change, as one line."""
    counts = progress.counters
    return ", ".join(f"{name} {counts[name]:,}" for name in SHOWN_COUNTERS if counts.get(name))


def workers(slots: Slots) -> str:
    """Return how busy the workers are, as one line."""
    text = f"{slots.running} of {slots.total} worker slots in use"
    if slots.deferred:
        text += f"; {slots.deferred} deferred, waiting without a worker"
    return text

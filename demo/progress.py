"""Showing how the waits go: as a live table on a terminal, as lines elsewhere."""

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

    from demo.narrator import Narrator
    from demo.watch import Sight, Snapshot
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
def progress_for(narrator: Narrator) -> Iterator[Show]:
    """Return what shows snapshots as they come, in the way that suits where they are read."""
    if not narrator.console.is_terminal:
        yield PlainProgress(narrator).show
        return
    with Live(console=narrator.console, auto_refresh=False) as live:
        yield lambda snapshot: live.update(drawing(snapshot), refresh=True)


def drawing(snapshot: Snapshot) -> Group:
    """Draw all waits as one table."""
    table = Table("waiting for", *snapshot.sights[0].tasks, "operation", "counters", expand=True)
    for sight in snapshot.sights:
        states = [Text(state, COLOURS.get(state, "")) for state in sight.tasks.values()]
        table.add_row(sight.resource, *states, sight.operation.status, counters(sight))
    return Group(table, Text(workers(snapshot.slots), "bold"))


class PlainProgress:
    """Lines, and only where something has changed."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._last: dict[str, str] = {}
        self._counted_at = time.monotonic()

    def show(self, snapshot: Snapshot) -> None:
        """Say what differs from the snapshot before."""
        for sight in snapshot.sights:
            self._show_tasks(sight)
            self._say_if_new(f"{sight.resource}: operation is", sight.operation.status)
        self._show_counters(snapshot)
        self._say_if_new("workers:", workers(snapshot.slots))

    def _show_tasks(self, sight: Sight) -> None:
        for task, state in sight.tasks.items():
            if state not in {"none", "scheduled", "queued"}:
                self._say_if_new(f"{sight.resource}: task {task} is", state)

    def _show_counters(self, snapshot: Snapshot) -> None:
        if time.monotonic() - self._counted_at < SECONDS_BETWEEN_COUNTER_LINES:
            return
        self._counted_at = time.monotonic()
        for sight in snapshot.sights:
            self._say_if_new(f"{sight.resource}:", counters(sight))

    def _say_if_new(self, what: str, value: str) -> None:
        if self._last.get(what) != value:
            self._last[what] = value
            self._narrator.say(f"{what} {value}")


def counters(sight: Sight) -> str:
    """Say the counters that move, in one line."""
    held = sight.operation.counters
    return ", ".join(f"{name} {held[name]}" for name in SHOWN_COUNTERS if held.get(name))


def workers(slots: Slots) -> str:
    """Say how busy the workers are, in one line."""
    text = f"{slots.running} of {slots.total} worker slots in use"
    if slots.deferred:
        text += f"; {slots.deferred} deferred, waiting without a worker"
    return text

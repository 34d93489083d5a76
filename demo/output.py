"""Where the demo's output goes: a terminal, or lines of plain text."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import RenderableType

WIDTH_WITHOUT_TERMINAL = 110


def make_console() -> Console:
    """Return a console that writes plain text, without control characters, unless it is a terminal."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(force_terminal=False, no_color=True, highlight=False, width=WIDTH_WITHOUT_TERMINAL)


class Output:
    """
    What the demo prints.

    :param console: where to
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._start = time.monotonic()

    def log(self, text: str) -> None:
        """Print one line, with the seconds since the start."""
        seconds = time.monotonic() - self._start
        self.console.print(f"{seconds:5.1f} s  {text}", markup=False, soft_wrap=True)

    def spinner(self, text: str) -> AbstractContextManager[object]:
        """Show on a terminal that something is going on; print nothing elsewhere."""
        return self.console.status(text) if self.console.is_terminal else nullcontext()

    def print(self, *blocks: RenderableType) -> None:
        """Print text or a table, without the time."""
        self.console.print(*blocks, sep="\n", markup=False, soft_wrap=all(isinstance(b, str) for b in blocks))

"""Says what goes on, each line with the seconds since the beginning."""

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
    """Return a console that writes plain text, without control characters, unless a terminal reads it."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(force_terminal=False, no_color=True, highlight=False, width=WIDTH_WITHOUT_TERMINAL)


class Narrator:
    """
    Tells the user what goes on.

    :param console: where to
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """Say one line, with the time."""
        seconds = time.monotonic() - self._start
        self.console.print(f"{seconds:5.1f} s  {text}", markup=False, soft_wrap=True)

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Show on a terminal that something goes on; say nothing elsewhere."""
        return self.console.status(text) if self.console.is_terminal else nullcontext()

    def print(self, *blocks: RenderableType) -> None:
        """Print something without the time: plain text, or a table."""
        self.console.print(*blocks, sep="\n", markup=False, soft_wrap=all(isinstance(b, str) for b in blocks))

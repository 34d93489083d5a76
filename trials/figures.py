"""The figures of a trial, and the table of all."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Figures:
    """
    What one trial showed.

    :param trial: its name
    :param waits: how many there were
    :param lost: how many of them did not succeed
    :param twice: how many succeeded more than once
    :param requests: sent to the API while it ran
    :param at_most: the bound of these
    :param blocked: seconds for which a triggerer's loop stood still at the longest, by Airflow's own log
    :param recovered: seconds from the recovery, or from the last operation's end if that was later, to the last success
    :param memory: of all triggerers at the start, in MB
    :param memory_after: and at the end
    """

    trial: str
    waits: int
    lost: int
    twice: int
    requests: int
    at_most: int
    blocked: float
    recovered: float
    memory: float
    memory_after: float

    def check(self, within: float) -> None:
        """
        Raise AssertionError if a wait was lost or ended twice, requests are too many, or it took too long.

        :param within: seconds that the recovery may take
        """
        assert self.lost == 0, f"{self.lost} of {self.waits} waits were lost"
        assert self.twice == 0, f"{self.twice} of {self.waits} waits ended twice"
        assert self.requests <= self.at_most, f"{self.requests} requests, and at most {self.at_most} were expected"
        assert self.recovered <= within, f"the last success came {self.recovered:.1f} s after the recovery"


HEADINGS = {
    "trial": "trial",
    "waits": "waits",
    "lost": "lost",
    "twice": "twice",
    "requests": "requests",
    "at_most": "at most",
    "blocked": "loop blocked",
    "recovered": "last success after",
    "memory": "memory",
    "memory_after": "then",
}
UNITS = {"blocked": "s", "recovered": "s", "memory": "MB", "memory_after": "MB"}


def table(rows: Sequence[Figures]) -> str:
    """Return the figures of all trials as one table of Markdown."""
    lines = [list(HEADINGS.values()), *([_cell(row, one.name) for one in fields(row)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [" | ".join(map(_aligned, range(len(line)), line, widths)) for line in lines]
    rule = " | ".join("-" * width if not number else "-" * (width - 1) + ":" for number, width in enumerate(widths))
    return "\n".join(f"| {line} |" for line in (aligned[0], rule, *aligned[1:]))


def _aligned(column: int, cell: str, width: int) -> str:
    return cell.rjust(width) if column else cell.ljust(width)


def _cell(row: Figures, name: str) -> str:
    value = getattr(row, name)
    if name not in UNITS:
        return f"{value:,}" if isinstance(value, int) else value
    return f"{value:.0f} MB" if UNITS[name] == "MB" else f"{value:.1f} s"

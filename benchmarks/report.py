"""What a benchmark found: figures beside their bounds, and the tables that show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from benchmarks.measure import ratio_of


@dataclass(frozen=True)
class Bound:
    """
    What a figure has to keep.

    :param sign: "≤" or "≥".
    :param limit: the value it must not pass.
    :param unit: of the limit, for the reader.
    """

    sign: str
    limit: float
    unit: str = "x"

    def met(self, value: float) -> bool:
        return value <= self.limit if self.sign == "≤" else value >= self.limit

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:g} {self.unit}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """
    One line of a table.

    :param what: what was measured.
    :param ours: its value for our client.
    :param peer: its value for the peer; None where there is none to compare with.
    :param unit: of both.
    :param ratio: how the two compare.
    :param bound: what must hold; None if the figure is only shown.
    :param judged: the value that the bound is for.
    """

    what: str
    ours: float
    unit: str
    peer: float | None = None
    ratio: float | None = None
    bound: Bound | None = None
    judged: float = 0.0

    @classmethod
    def of_rounds(cls, what: str, ours: list[float], peer: list[float], bound: Bound) -> Figure:
        """Compare seconds of rounds in turn; the bound is for the ratio."""
        ratio = ratio_of(ours, peer)
        return cls(what=what, ours=median(ours), peer=median(peer), unit="s", ratio=ratio, bound=bound, judged=ratio)

    @property
    def met(self) -> bool:
        return self.bound is None or self.bound.met(self.judged)


@dataclass(frozen=True)
class Report:
    """
    What one benchmark found.

    :param name: the benchmark's.
    :param question: what it answers.
    :param peer: whom we are compared with.
    :param notes: what one should know to read the figures.
    """

    name: str
    question: str
    peer: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def met(self) -> bool:
        return all(figure.met for figure in self.figures)


def print_table(report: Report, seconds: float) -> None:
    """Print a benchmark's figures; `seconds` is what it took to find them."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{report.name}: {report.question}", title_justify="left", title_style="bold")
    table.add_column("")
    for column in ("ours", report.peer, "ratio", "bound", "met"):
        table.add_column(column, justify="right")
    for figure in report.figures:
        table.add_row(*_cells(figure))
    console = Console()
    console.print(table)
    for note in report.notes:
        console.print(f"  {note}", style="dim", highlight=False)
    console.print(f"  Took {seconds:.0f} s.\n", style="dim", highlight=False)


def print_summary(reports: list[Report]) -> None:
    """Print every bound on one line, and how many are met."""
    from rich.console import Console

    console = Console()
    bounded = [(report, figure) for report in reports for figure in report.figures if figure.bound is not None]
    for report, figure in bounded:
        line = f"{report.name}: {figure.what}: {_number(figure.judged)} ({figure.bound})"
        console.print(f"{_mark(figure)} {line}", highlight=False)
    met = sum(figure.met for _, figure in bounded)
    console.print(f"\n{met} of {len(bounded)} bounds met.", style="bold green" if met == len(bounded) else "bold red")


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        f"{_number(figure.ours)} {figure.unit}",
        "" if figure.peer is None else f"{_number(figure.peer)} {figure.unit}",
        "" if figure.ratio is None else f"{figure.ratio:.2f} x",
        "" if figure.bound is None else str(figure.bound),
        _mark(figure),
    )


def _mark(figure: Figure) -> str:
    if figure.bound is None:
        return ""
    return "[green]yes[/]" if figure.met else "[bold red]NO[/]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"

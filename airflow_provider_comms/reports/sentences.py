"""Figures in words, for logs and messages: one line, the result first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.reports.figures import NOT_REACHED, WAITING, engagement, figures, recipients_of, totals
from airflow_provider_comms.reports.rates import percent, ratio
from airflow_provider_comms.reports.words import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_comms.comms.resource import Resource


def progress(counters: Mapping[str, int]) -> int | None:
    """Return the percentage of recipients no longer queued or scheduled; None while there are no counts."""
    whole = recipients_of(counters)
    left = sum(counters.get(name, 0) for name in WAITING)
    return 100 * min(max(0, whole - left), whole) // whole if whole > 0 else None


def delivery(resource: Resource, many: Sequence[Mapping[str, int]], *, with_rates: bool = False) -> str:
    """
    Say what became of the recipients: `472 of 1,200 delivered, 4 failed (0.3 %), 588 queued`.

    :param resource: kind of the operations.
    :param many: counters of each operation; they are added up.
    :param with_rates: also say how many percent were delivered, and opened or read.
    """
    sums = totals(figures(resource, counters) for counters in many)
    whole = sums.get("recipients", 0)
    if not whole:
        return "no recipients"
    reached, engaged = sums["reached"], engagement(resource)
    parts = [f"{number(reached)} of {number(whole)} delivered"]
    if with_rates:
        parts = [f"{parts[0]} ({percent(ratio(reached, whole))})"]
        if sums[engaged]:
            parts.append(
                f"{number(sums[engaged])} {engaged} ({percent(ratio(sums[engaged], reached))} of the delivered)"
            )
    parts += [
        f"{number(sums[name])} {name} ({percent(ratio(sums[name], whole))})" for name in NOT_REACHED if sums[name]
    ]
    left = {name: sum(counters.get(name, 0) for counters in many) for name in WAITING}
    parts += [f"{number(count)} {name}" for name, count in left.items() if count]
    return ", ".join(parts)

"""What can be derived from counters: sums over operations, and rates whose names say what is divided by what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OF_ALL = ("delivered", "failed", "undelivered", "unaddressable", "canceled")
"""Counters taken as a share of the recipients (of the total where recipients are not reported)."""
OF_DELIVERED = ("opened", "read")
"""Counters taken as a share of what was delivered."""


def totals(many: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up each counter over operations. Counters of one operation are never added to each other."""
    sums: Counter[str] = Counter()
    for counters in many:
        sums.update(counters)
    return dict(sums)


def rates(counters: Mapping[str, int]) -> dict[str, float | None]:
    """
    Return shares such as `{"delivered_of_recipients": 0.97, "opened_of_delivered": 0.41}`.

    :param counters: as an operation reports them.
    :return: shares rounded to 4 digits, None where there is nothing to divide by; only of counters reported.
        They may exceed 1 and do not add up: Twilio's counters are no partition.
    """
    name, whole = denominator(counters)
    shares = {f"{one}_of_{name}": ratio(counters[one], whole) for one in OF_ALL if one in counters}
    for one in OF_DELIVERED:
        if one in counters and "delivered" in counters:
            shares[f"{one}_of_delivered"] = ratio(counters[one], counters["delivered"])
    return {name: None if share is None else round(share, 4) for name, share in shares.items()}


def denominator(counters: Mapping[str, int]) -> tuple[str, int]:
    """Return name and value of the counter that shares are taken of: recipients, or total where that is missing."""
    name = "recipients" if "recipients" in counters else "total"
    return name, counters.get(name, 0)


def ratio(part: int, whole: int) -> float | None:
    """Return part / whole, or None where there is no whole."""
    return part / whole if whole else None

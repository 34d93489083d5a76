"""Shares of figures, whose names say what is divided by what, and how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_REACHED = ("opened", "read")
_DIGITS = 4
_LEAST, _MOST = 0.0001, 0.9999
"""What some and not all are rounded to at least and at most."""
_ONE_DIGIT = 0.001
"""The smallest share that one digit of a percentage shows."""
_LARGEST = 1e6
"""Rates above are written as a power of ten; only invalid counters make one."""


def rates(figures: Mapping[str, int]) -> dict[str, float | None]:
    """
    Return shares such as `{"reached_of_recipients": 0.97, "opened_of_reached": 0.41, ...}`.

    :param figures: as `reports.figures.figures` gives them, of one operation or added up over several.
    :return: always the same keys, one per figure, rounded to 4 digits; None where there is nothing to divide by. In a
        consistent answer none is above 1. 0 and 1 mean none and all: what is rounded stays short of them.
    """
    return {
        f"{name}_of_{whole}": _rounded(value, figures[whole])
        for name, value in figures.items()
        if name != "recipients"
        for whole in ("reached" if name in _OF_REACHED else "recipients",)
    }


def percent(rate: float | None, nothing: str = "n/a") -> str:
    """
    Write a share as a percentage with one digit, such as `97.4 %`: never 100 % for less than all, nor 0 % for some.

    :param rate: from 0 to 1; None where there was nothing to divide by.
    :param nothing: what is written for None.
    """
    if rate is None:
        return nothing
    if abs(rate) > _LARGEST:
        return f"{rate * 100:.2e} %"
    if 0 < rate < _ONE_DIGIT:
        return "< 0.1 %"
    if 1 - _ONE_DIGIT < rate < 1:
        return "> 99.9 %"
    return f"{rate:,.1%}".replace("%", " %")


def ratio(part: int, whole: int) -> float | None:
    """Return part / whole, or None if there is no whole or the ratio is not a finite float."""
    try:
        return part / whole if whole else None
    except OverflowError:
        return None


def _rounded(part: int, whole: int) -> float | None:
    share = ratio(part, whole)
    if share is None:
        return None
    nearest = round(share, _DIGITS)
    return min(max(nearest, _LEAST), _MOST) if 0 < part < whole else nearest

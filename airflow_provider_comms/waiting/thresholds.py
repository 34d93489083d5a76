"""
`fail_if`: how much of a counter or figure a task accepts, and how little. Fractions are exact, whatever the size of a
counter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.arguments import with_nearest
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.figures import NOT_REACHED, recipients_of
from airflow_provider_comms.reports.rates import percent, ratio
from airflow_provider_comms.reports.words import number

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIMIT = re.compile(r"\s*(?P<floor><)?\s*(?P<number>\d{1,15}(?:\.\d{1,20})?)\s*(?P<percent>%)?\s*")
_FIGURES = ("reached", "not_reached", "in_progress")
"""Figures that hold however Twilio counts, beside the counters."""
_ONLY_RISE = (*NOT_REACHED, "not_reached")
_OF_REACHED = ("reached", "delivered", "opened", "read")
"""Counters that can never exceed the recipients without a failure, however Twilio counts."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """
    The upper or lower limit of a counter or figure.

    :param counter: its name.
    :param value: a number of recipients, or a ratio of them from 0 to 1.
    :param is_ratio: which of the two.
    :param is_floor: whether it is the least.
    :param raw: as the DAG's author wrote it.
    """

    counter: str
    value: Fraction
    is_ratio: bool
    is_floor: bool
    raw: int | str

    def violation(self, counters: Mapping[str, int]) -> str | None:
        """
        Return counter, value and limit, such as `failed = 25 (5.0 %), above the limit of 2 %`; None if kept.

        :param counters: of one operation or added up, and their figures.
        """
        return self._violation(counters.get(self.counter, 0), recipients_of(counters), "=")

    def lasting_violation(self, counters: Mapping[str, int], figures: Mapping[str, int]) -> str | None:
        """
        Return the violation that remains however the operation goes on; None if the limit may yet be kept.

        Only the counters of those not reached can do nothing but rise. With the recipients they bound what can still
        be reached, where these are known from the start: `recipients` was reported, and no more were created.

        :param counters: of one operation that still runs, as reported.
        :param figures: derived from them.
        """
        recipients = counters.get("recipients", 0)
        are_known = recipients > 0 and recipients == recipients_of(counters)
        if self.is_floor:
            return self._lost_floor({**counters, **figures}, recipients) if are_known else None
        is_lasting = self.counter in _ONLY_RISE and (are_known or not self.is_ratio)
        return self.violation({**counters, **figures}) if is_lasting else None

    def _lost_floor(self, counts: Mapping[str, int], recipients: int) -> str | None:
        most = max(0, recipients - counts["not_reached"])
        was_possible = self.is_ratio or recipients >= self.value
        # Where more are reached already, the counters contradict themselves.
        if self.counter not in _OF_REACHED or not was_possible or counts.get(self.counter, 0) > most:
            return None
        return self._violation(most, recipients, "at most")

    def _violation(self, value: int, whole: int, word: str) -> str | None:
        limit = self.value * whole if self.is_ratio else self.value
        is_kept = value >= limit if self.is_floor else value <= limit
        if is_kept or (self.is_ratio and not whole):
            return None
        share = f" ({percent(ratio(value, whole))})" if self.is_ratio else ""
        side = "below" if self.is_floor else "above"
        return f"{self.counter} {word} {number(value)}{share}, {side} the limit of {self._limit}"

    def concerns(self, resource: Resource) -> bool:
        """Whether operations of the resource have what is limited."""
        return self.counter in (*resource.counters, *_FIGURES)

    @property
    def _limit(self) -> str:
        return f"{float(self.value * 100):.15g} %" if self.is_ratio else number(int(self.value))


def parse_thresholds(fail_if: object) -> tuple[Threshold, ...]:
    """
    Read the argument.

    :param fail_if: counter, or one of the figures `reached`, `not_reached` and `in_progress`, to the most that it may
        come to, a whole number of recipients or a ratio such as "2%", or to the least that it must, such as "< 95%" or
        "< 100"; None for nothing.
    :raises CommsArgumentError: it is invalid.
    """
    if fail_if is None:
        return ()
    if not isinstance(fail_if, Mapping):
        raise CommsArgumentError(
            f"fail_if={fail_if!r} is a {type(fail_if).__name__}, not a mapping.",
            advice='Map counters to limits, such as {"failed": "2%", "undelivered": 50, "reached": "< 95%"}.',
        )
    check_counters_known(fail_if)
    return tuple(_threshold(counter, limit) for counter, limit in fail_if.items())


def violations(thresholds: Iterable[Threshold], totals: Mapping[Resource, Mapping[str, int]]) -> list[str]:
    """
    Return what totals break, such as `emails: failed = 25 (5.0 %), above the limit of 2 %`.

    :param totals: counters and figures by resource, each added up.
    """
    return [
        f"{resource.value}: {text}"
        for resource, counters in totals.items()
        for one in thresholds
        if one.concerns(resource) and counters and (text := one.violation(counters))
    ]


def check_counters(resource: Resource, counters: Iterable[str]) -> None:
    """
    Refuse counters that operations of the resource have not.

    :raises CommsArgumentError: names the counter, and those that there are.
    """
    _check(counters, (*resource.counters, *_FIGURES), resource.value)


def check_counters_known(counters: Iterable[object]) -> None:
    """
    Refuse counters that no resource has; the resource may not be known before the task runs.

    :raises CommsArgumentError: names the counter, and those that there are.
    """
    known = dict.fromkeys(name for resource in Resource for name in resource.counters)
    _check(counters, (*known, *_FIGURES), " or ".join(Resource))


def _check(counters: Iterable[object], known: tuple[str, ...], owner: str) -> None:
    for counter in counters:
        if counter not in known:
            raise CommsArgumentError(
                f"fail_if names {with_nearest(str(counter), known)}, which is not a counter of {owner}.",
                advice=f"Use one of {', '.join(known)}.",
            )


def _threshold(counter: str, limit: object) -> Threshold:
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return Threshold(counter, Fraction(limit), is_ratio=False, is_floor=False, raw=limit)
    if isinstance(limit, str) and (found := _LIMIT.fullmatch(limit)):
        is_ratio, is_floor = bool(found["percent"]), bool(found["floor"])
        value = Fraction(found["number"]) / (100 if is_ratio else 1)
        if value <= 1 if is_ratio else is_floor and value.denominator == 1:
            _check_side(counter, limit, is_floor=is_floor)
            return Threshold(counter, value, is_ratio, is_floor, raw=limit)
    raise CommsArgumentError(
        f"fail_if[{counter!r}]={limit!r} is not a limit.",
        advice='Say when to fail: 50 (more than 50 recipients), "2%" (more than 2 % of them), "< 95%" (fewer than 95 % '
        'of them) or "< 100" (fewer than 100).',
    )


def _check_side(counter: str, limit: str, *, is_floor: bool) -> None:
    """Refuse a floor under what went wrong: `{"failed": "< 2%"}` would fail where all went well, and only there."""
    if is_floor and counter in _ONLY_RISE:
        most = limit.replace("<", "").strip()
        raise CommsArgumentError(
            f"fail_if[{counter!r}]={limit!r} would fail where too few recipients are {counter}: it is a lower limit.",
            advice=f"For at most so many write {{{counter!r}: {most if most.isdecimal() else repr(most)}}}.",
        )

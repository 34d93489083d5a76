"""`fail_if`: how much of a counter a task accepts. Fractions are exact, whatever the size of a counter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.figures import recipients_of
from airflow_provider_comms.reports.rates import percent, ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

_PERCENT = re.compile(r"\s*(\d{1,3}(?:\.\d{1,20})?)\s*%\s*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """
    The most that a counter may come to.

    :param counter: name of the counter.
    :param value: a number of recipients, or a ratio of them from 0 to 1.
    :param is_ratio: which of the two.
    :param raw: as the DAG's author wrote it.
    """

    counter: str
    value: Fraction
    is_ratio: bool
    raw: int | str

    def violation(self, counters: Mapping[str, int]) -> str | None:
        """Return counter, value and limit, such as `failed = 25 (5.0 %), above the limit of 2 %`; None if kept."""
        value = counters.get(self.counter, 0)
        if not self.is_ratio:
            return f"{self.counter} = {value:,}, above the limit of {self.raw:,}" if value > self.value else None
        whole = recipients_of(counters)
        if value <= self.value * whole or not whole:
            return None
        limit = str(self.raw).replace("%", "").strip()
        return f"{self.counter} = {value:,} ({percent(ratio(value, whole))}), above the limit of {limit} %"


def parse_thresholds(fail_if: object) -> tuple[Threshold, ...]:
    """
    Read the argument.

    :param fail_if: counter to a whole number of recipients, or to a ratio such as "2%"; None for nothing.
    :raises CommsArgumentError: it cannot be right.
    """
    if fail_if is None:
        return ()
    if not isinstance(fail_if, Mapping):
        raise CommsArgumentError(
            f"fail_if={fail_if!r} is a {type(fail_if).__name__}, not a mapping.",
            advice='Map counters to limits, such as {"failed": "2%", "undelivered": 50}.',
        )
    check_counters_known(fail_if)
    return tuple(_threshold(counter, limit) for counter, limit in fail_if.items())


def check_counters(resource: Resource, counters: Iterable[str]) -> None:
    """
    Refuse counters that operations of the resource have not.

    :raises CommsArgumentError: names the counter, and those that there are.
    """
    _check(counters, resource.counters, resource.value)


def check_counters_known(counters: Iterable[object]) -> None:
    """
    Refuse counters that no resource has; the resource may not be known before the task runs.

    :raises CommsArgumentError: names the counter, and those that there are.
    """
    known = dict.fromkeys(name for resource in Resource for name in resource.counters)
    _check(counters, tuple(known), " or ".join(Resource))


def _check(counters: Iterable[object], known: tuple[str, ...], owner: str) -> None:
    for counter in counters:
        if counter not in known:
            raise CommsArgumentError(
                f"fail_if names {counter!r}, which is not a counter of {owner}.",
                advice=f"Use one of {', '.join(known)}.",
            )


def _threshold(counter: str, limit: object) -> Threshold:
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return Threshold(counter, Fraction(limit), is_ratio=False, raw=limit)
    if isinstance(limit, str) and (found := _PERCENT.fullmatch(limit)) and (value := Fraction(found[1]) / 100) <= 1:
        return Threshold(counter, value, is_ratio=True, raw=limit)
    raise CommsArgumentError(
        f"fail_if[{counter!r}]={limit!r} is not a limit.",
        advice='Use a whole number of recipients, or a ratio of them from "0%" to "100%".',
    )

"""How a wait is done: one object, plain JSON in and out, from the sensor over the trigger's row to the wait."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from airflow_provider_comms.comms.arguments import check_bool
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.waiting.thresholds import Threshold, check_counters, parse_thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_comms.comms.resource import Resource

OnCanceled = Literal["succeed", "fail", "skip"]

DEFAULT_POKE_INTERVAL = 60.0
DEFAULT_TIMEOUT = 86_400.0
"""Seconds until a wait is given up: a day, well below the 7 days that Twilio keeps an operation."""
MAX_TIMEOUT = 365 * 86_400.0
"""Seconds; more is taken for this, so that sums of dates stay dates."""
DEFAULT_GRACE = 30.0
"""Seconds in which an operation that was just made may still be unknown to the API."""
MIN_POKE_INTERVAL = 1.0
"""Least seconds between two polls, unless `MIN_POKE_INTERVAL_VARIABLE` says otherwise."""
MIN_POKE_INTERVAL_VARIABLE = "COMMS_MIN_POKE_INTERVAL"
"""Environment variable with another floor in seconds, for tests of DAGs against a simulator."""


@dataclass(frozen=True, kw_only=True)
class WaitSpec:
    """
    The options of a wait. A new one is a field here and a parameter of the sensor.

    :param poke_interval: seconds between two polls; 1 at least.
    :param timeout: seconds until the wait is given up.
    :param adaptive: see `pace.next_interval`.
    :param grace: seconds from the start in which an operation that was just made may still be unknown to the API,
        and in which an answer that is not the API's means that the connection leads to the wrong place.
    :param on_canceled: what a CANCELED operation does to the task: "succeed", "fail" or "skip".
    :param fail_if: counter to its limit: a number of recipients, or a ratio such as "2%".
    :param fail_early: fail as soon as the counters say that a limit will be broken, while the operation still runs.
    :raises CommsArgumentError: one of them is invalid.
    """

    poke_interval: float = DEFAULT_POKE_INTERVAL
    timeout: float = DEFAULT_TIMEOUT
    adaptive: bool = False
    grace: float = DEFAULT_GRACE
    on_canceled: OnCanceled = "succeed"
    fail_if: Mapping[str, int | str] = field(default_factory=dict)
    fail_early: bool = False

    def __post_init__(self) -> None:
        checked = {
            "poke_interval": max(seconds_of("poke_interval", self.poke_interval), min_poke_interval()),
            "timeout": min(seconds_of("timeout", self.timeout), MAX_TIMEOUT),
            "adaptive": check_bool("adaptive", self.adaptive),
            "grace": seconds_of("grace", self.grace),
            "on_canceled": _check_on_canceled(self.on_canceled),
            "fail_if": {one.counter: one.raw for one in parse_thresholds(self.fail_if)},
            "fail_early": check_bool("fail_early", self.fail_early),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @classmethod
    def parse(cls, **options: Any) -> WaitSpec:
        """
        Return the spec of options as a DAG's author writes them: timedelta for seconds, None for no `fail_if`.

        :raises CommsArgumentError: an option is invalid.
        """
        return cls(**options)

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> WaitSpec:
        """
        Read what :meth:`to_json` wrote, in this version or another: what is missing takes its default.

        :raises CommsArgumentError: an option is invalid.
        """
        return cls.parse(**{name: value for name, value in stored.items() if name in OPTIONS})

    def to_json(self) -> dict[str, Any]:
        """Return the options as plain JSON."""
        return {name: getattr(self, name) for name in OPTIONS}

    def check_for(self, resource: Resource) -> WaitSpec:
        """
        Return this, if it fits operations of the resource.

        :raises CommsArgumentError: `fail_if` names a counter that the resource has not.
        """
        check_counters(resource, self.fail_if)
        return self

    def thresholds(self) -> tuple[Threshold, ...]:
        """Return what turns a COMPLETED operation into a failure."""
        return parse_thresholds(self.fail_if)


OPTIONS = tuple(one.name for one in fields(WaitSpec))


def min_poke_interval() -> float:
    """Return the seconds that lie between two polls at least; what the variable says, if that is a duration."""
    try:
        floor = float(os.environ.get(MIN_POKE_INTERVAL_VARIABLE, MIN_POKE_INTERVAL))
    except ValueError:
        return MIN_POKE_INTERVAL
    return floor if 0 <= floor < math.inf else MIN_POKE_INTERVAL


def seconds_of(name: str, value: object) -> float:
    """
    Return a duration in seconds.

    :param value: a number of seconds or a timedelta.
    :raises CommsArgumentError: it is neither, negative or not a number.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds >= 0:  # NaN is not.
        return float(min(seconds, MAX_TIMEOUT))
    raise CommsArgumentError(
        f"{name}={value!r} is not a duration.", advice="Use seconds >= 0, as a number or a timedelta."
    )


def _check_on_canceled(value: object) -> OnCanceled:
    if value in get_args(OnCanceled):
        return cast("OnCanceled", value)
    raise CommsArgumentError(
        f"on_canceled={value!r} is unknown.", advice=f"Use one of {', '.join(get_args(OnCanceled))}."
    )

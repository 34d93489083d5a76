"""
What an argument must be. Called where a DAG is parsed and again before a request, so it imports nothing heavy.

Every refusal is a CommsArgumentError that names the argument and its value.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, datetime
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, ParamSpec, TypeGuard, TypeVar

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.redaction import shown
from airflow_provider_comms.comms.resource import MAX_PAGE_SIZE, OperationStatus, Resource
from airflow_provider_comms.comms.timestamps import plain_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

P = ParamSpec("P")
R = TypeVar("R")
_DOCUMENTED_ID = re.compile(r"comms_operation_[0-7][a-hjkmnpqrstv-z0-9]{25,34}")
# Wider than Twilio's own pattern, which one of its own samples breaks; still one plain path segment.
_POSSIBLE_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,255}")
# What a template makes of an upstream task that returned nothing.
_NOTHING = ("None", "null", "nan")
MAX_PARALLEL = 32


def suggests_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """
    Raise CommsArgumentError with the nearest known name for an unknown keyword argument.

    The signature stays the function's own, for editors and type checkers. (Python's TypeError suggests a name only
    from 3.13 on.)
    """
    known = [name for name in signature(function).parameters if name != "self"]
    called = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if unknown := [name for name in kwargs if name not in known]:
            raise CommsArgumentError(
                f"Unknown argument of {called}: {', '.join(with_nearest(name, known) for name in unknown)}.",
                advice=f"Known: {', '.join(known)}.",
            )
        return function(*args, **kwargs)

    return checked


def with_nearest(name: str, known: Iterable[str]) -> str:
    """Return the name in quotes, with the known one that was probably meant, if there is one."""
    known = list(known)
    # difflib alone takes "start" for "status".
    nearest = [one for one in known if one.startswith(name)] or get_close_matches(name, known, n=1)
    return f"{name!r} (did you mean {nearest[0]!r}?)" if nearest else repr(name)


def check_resource(value: object, advice: str | None = None) -> Resource:
    """Return the resource of that name, or refuse it; the advice is by default to use one of them."""
    try:
        return Resource(str(value))
    except ValueError:
        known = " or ".join(repr(r.value) for r in Resource)
        raise CommsArgumentError(
            f"resource={shown(value)} is not a kind of operation.", advice=advice or f"Use {known}."
        ) from None


def check_operation_id(value: object) -> str:
    """
    Return the id if it can be one segment of a path, or refuse it.

    Only what could not be an id at all is refused; see :func:`is_documented_id` for the rest.
    """
    if is_possible_id(value):
        return value
    raise CommsArgumentError(
        f"operation_id={shown(value)} cannot be the id of an operation.",
        advice="Use the operationId that Twilio returned for the send, such as comms_operation_01h9krwprk...",
    )


def is_possible_id(value: object) -> TypeGuard[str]:
    """Whether it could be the id of an operation: one segment of a path, and not what a template makes of nothing."""
    return isinstance(value, str) and _POSSIBLE_ID.fullmatch(value) is not None and value not in _NOTHING


def is_documented_id(operation_id: str) -> bool:
    """Whether the id has the form that Twilio documents. One of Twilio's own samples has not."""
    return _DOCUMENTED_ID.match(operation_id) is not None


def check_page_size(value: object) -> int:
    """Return the number of operations per page, 1 to 1000, or refuse it."""
    return check_integer("page_size", value, 1, MAX_PAGE_SIZE)


def check_parallel(value: object) -> int:
    """Return the number of slices listed side by side, 1 to 32, or refuse it."""
    return check_integer("parallel", value, 1, MAX_PARALLEL)


def check_limit(value: object) -> int | None:
    """Return the largest number of operations wanted, None for all, or refuse it."""
    return None if value is None else check_integer("limit", value, 1, None)


def check_bool(name: str, value: object) -> bool:
    """Return True or False, or refuse anything else: a text such as "false" would count as True."""
    if isinstance(value, bool):
        return value
    raise CommsArgumentError(
        f"{name}={shown(value)} is a {type(value).__name__}, not a bool.", advice="Use True or False."
    )


def check_integer(name: str, value: object, low: int, high: int | None) -> int:
    """Return the whole number within its bounds, or refuse it; a bool is none."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= (high or value):
        return value
    bounds = f"an integer from {low} to {high}" if high else f"an integer >= {low}"
    raise CommsArgumentError(f"{name}={shown(value)} is out of range.", advice=f"Use {bounds}.")


def check_status(value: object) -> OperationStatus | None:
    """Return the status to filter by, None for any, or refuse it: the API ignores a filter it does not know."""
    if value is None:
        return None
    try:
        return OperationStatus(str(value))
    except ValueError:
        known = ", ".join(OperationStatus)
        raise CommsArgumentError(
            f"status={shown(value)} is not the status of an operation.", advice=f"Use one of {known}."
        ) from None


_EXAMPLE = "2026-11-20T06:00:00+01:00"


def check_window(start_date: object, end_date: object) -> tuple[datetime | None, datetime | None]:
    """Return both ends of a window of creation times, either of them None for open, or refuse them."""
    start = check_datetime("start_date", start_date)
    end = check_datetime("end_date", end_date)
    if start is not None and end is not None and start >= end:
        raise CommsArgumentError(
            f"start_date={start.isoformat()} is not before end_date={end.isoformat()}: the window is empty.",
            advice="Swap them, or widen the window. Note that a cron schedule gives empty data intervals in "
            "Airflow 3 unless the DAG uses CronDataIntervalTimetable.",
        )
    return start, end


def check_datetime(name: str, value: object) -> datetime | None:
    """Return the time in UTC, None for None, or refuse it: it must be aware, or ISO 8601 with an offset."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _read_datetime(name, value)
    if not isinstance(value, datetime):
        raise CommsArgumentError(
            f"{name}={shown(value)} is a {type(value).__name__}, not a datetime.",
            advice=f"Use a datetime with a time zone, or a string such as {_EXAMPLE}.",
        )
    if value.utcoffset() is None:
        raise CommsArgumentError(
            f"{name}={shown(value)} has no time zone.",
            advice=f"Add one, such as {name}={name}.replace(tzinfo=UTC); to a text an offset, such as {_EXAMPLE}.",
        )
    if not MINYEAR < value.year < MAXYEAR:
        # In UTC, or a few days wider, it would not be a datetime any more.
        raise CommsArgumentError(
            f"{name}={value.isoformat()} is out of range.", advice=f"Omit {name} for an open window."
        )
    return plain_utc(value)


def _read_datetime(name: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise CommsArgumentError(
            f"{name}={shown(text)} is not in ISO 8601 format.", advice=f"Use a string such as {_EXAMPLE}."
        ) from None

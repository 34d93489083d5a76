"""
What the API's records of operations say, checked and turned into Python's types.

Tolerant where Twilio's own pages differ from each other: an unknown status stays text, unknown counters and fields are
kept. A record is read by itself: what is wrong with one says nothing about its neighbours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import chain
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.resource import OperationStatus, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Record = dict[str, Any]
    Fields = tuple[str, OperationStatus | str, Record, datetime, datetime, Record | None]
    """Id, status, counters, creation, update; and what is not known, None if there is nothing."""
    Columns = Sequence[list[Any]]
    """The fields of many, a list of each."""

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""A date outside is taken for the nearer of the two, so that no sum and no time zone carries it out of the calendar."""
_YEARS = range(EARLIEST.year, LATEST.year)
_STATUSES = {status.value: status for status in OperationStatus}
_fromisoformat = datetime.fromisoformat


def read_records(resource: Resource, records: list[Any], refuse: Callable[[object, ValueError], None]) -> Columns:
    """
    Read the records of a page.

    :param refuse: called with each record that cannot be read, and the reason; the reason does not quote it.
    """
    return _documented(records) or _one_by_one(resource, records, refuse)


def read_record(resource: Resource, record: object) -> Fields:
    """
    Read one record.

    :raises ValueError: it cannot be read; the text names the field, and does not quote it.
    """
    if type(record) is not dict:
        raise ValueError(f"it is {_kind(record)}, not a JSON object")
    readers = _READERS[resource]
    for name in readers:
        if name not in record:
            raise ValueError(f"{name} is missing")
    read = (reader(name, record[name]) for name, reader in readers.items())
    return (*read, _unknown(record))


def _documented(records: list[Any]) -> Columns | None:
    """
    Read records in a quarter of the time if all of them are as Twilio documents them, as nearly always.

    :return: None if one is not. A listing's time is mostly spent here, so each step goes through all of them in C.
    """
    try:
        ids, statuses, stats = ([*map(itemgetter(name), records)] for name in ("id", "status", "stats"))
        created, updated = (
            [*map(_fromisoformat, map(itemgetter(name), records))] for name in ("createdAt", "updatedAt")
        )
        are_texts = "".join(ids).isascii() and "".join(statuses).isascii()
        # The quickest way to see that all counters are whole numbers. These are no sums of anything.
        sums = {*map(type, map(sum, map(dict.values, stats)))}
    except (ValueError, TypeError, KeyError):
        return None
    zones = {*map(attrgetter("tzinfo"), chain(created, updated))}
    years = {*map(attrgetter("year"), chain(created, updated))}
    if not (are_texts and sums <= {int} and zones <= {UTC} and all(year in _YEARS for year in years)):
        return None
    return ids, [*map(_STATUSES.get, statuses, statuses)], stats, created, updated, _all_unknown(records)


def _one_by_one(resource: Resource, records: list[Any], refuse: Callable[[object, ValueError], None]) -> Columns:
    columns: Columns = [[] for _ in range(6)]
    for record in records:
        try:
            fields = read_record(resource, record)
        except ValueError as reason:
            refuse(record, reason)
        else:
            for column, value in zip(columns, fields, strict=True):
                column.append(value)
    return columns


def _all_unknown(records: list[Record]) -> list[Record | None]:
    if {*map(len, records)} <= {len(_KNOWN)}:
        return [None] * len(records)
    return [*map(_unknown, records)]


def _unknown(record: Record) -> Record | None:
    return {name: value for name, value in record.items() if name not in _KNOWN} or None


def _text(name: str, value: object) -> str:
    if type(value) is not str:
        raise ValueError(f"{name} is {_kind(value)}, not a string")
    if not (value.isascii() or _is_encodable(value)):
        raise ValueError(f"{name} has half of a surrogate pair")
    return value


def _is_encodable(text: str) -> bool:
    # JSON can hold half of a surrogate pair, which no database takes.
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _status(name: str, value: object) -> OperationStatus | str:
    text = _text(name, value)
    return _STATUSES.get(text, text)


def _timestamp(name: str, value: object) -> datetime:
    try:
        moment = _fromisoformat(value) if type(value) is str else _other_timestamp(value)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{name} is {_kind(value)}, not a date and time") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware if aware.year in _YEARS else min(max(aware, EARLIEST), LATEST)


def _other_timestamp(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if type(value) in (int, float):
        return datetime.fromtimestamp(value, UTC)  # type: ignore[arg-type]
    raise ValueError


def _counters(name: str, value: object, known: frozenset[str]) -> Record:
    if type(value) is not dict:
        raise ValueError(f"{name} is {_kind(value)}, not a JSON object")
    return {one: _counter(f"{name}.{one}", v) if one in known else v for one, v in value.items()}


def _counter(name: str, value: object) -> int:
    try:
        if value is None:
            return 0
        if isinstance(value, (int, str)) or (isinstance(value, float) and value.is_integer()):
            return int(value)
    except ValueError:
        pass
    raise ValueError(f"{name} is {_kind(value)}, not an integer")


def _kind(value: object) -> str:
    """Return what kind of JSON a value is. The value itself may hold a recipient."""
    return _KINDS.get(type(value), type(value).__name__)


_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}
_READERS: dict[Resource, dict[str, Callable[[str, object], Any]]] = {
    resource: {
        "id": _text,
        "status": _status,
        "stats": partial(_counters, known=frozenset(resource.counters)),
        "createdAt": _timestamp,
        "updatedAt": _timestamp,
    }
    for resource in Resource
}
_KNOWN = frozenset(_READERS[Resource.EMAILS])

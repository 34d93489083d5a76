"""
What the API's records tell, as frozen objects. Tolerant where Twilio's own pages differ from each other.

An unknown status stays text; unknown counters and fields are kept; a missing counter is 0 and does not show
among the `counters()`. A record is read by itself: what is wrong with one says nothing about its neighbours.

An operation is one object over the dict that the JSON parser made: a page of 1,000 costs the garbage collector,
which in a task walks through all of Airflow, no more than the bare JSON does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from airflow_provider_comms.comms.resource import OperationStatus, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_provider_comms.comms.errors import CommsRecordError

    Record = dict[str, Any]

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""A date outside is taken for the nearer of the two, so that no sum and no time zone carries it out of the calendar."""
_FIRST_YEAR, _LAST_YEAR = EARLIEST.year, LATEST.year
_STATUSES = {status.value: status for status in OperationStatus}
_fromisoformat = datetime.fromisoformat
_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=[0-9])|-")


class _Frozen:
    """Holds one dict that nobody changes."""

    __slots__ = ("_data",)

    _data: Record

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen; {name!r} cannot be set.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen; {name!r} cannot be deleted.")

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[type[Self], Record]]:
        return _frozen, (type(self), self._data)

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if isinstance(other, _Frozen) and type(self) is type(other) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


F = TypeVar("F", bound=_Frozen)
_set_data = _Frozen.__dict__["_data"].__set__  # Past `__setattr__`.


def _frozen(kind: type[F], data: Record) -> F:
    new = object.__new__(kind)
    _set_data(new, data)
    return new


class _Counter:
    """A counter by its name; 0 where the record has none."""

    def __set_name__(self, owner: type[OperationStats], name: str) -> None:
        self._name = name

    def __get__(self, stats: OperationStats, owner: type[OperationStats]) -> int:
        value: int = stats._data.get(self._name, 0)  # noqa: SLF001
        return value


class OperationStats(_Frozen):
    """
    The counters that both resources share. They do not partition the recipients: never add them up to a total.

    Source: Twilio's pages on the operation resources.
    """

    __slots__ = ()

    resource: ClassVar[Resource]

    total = _Counter()
    """Resources created."""
    recipients = _Counter()
    """Recipients targeted."""
    attempts = _Counter()
    """Attempts to send; may exceed the recipients."""
    queued = _Counter()
    sent = _Counter()
    scheduled = _Counter()
    delivered = _Counter()
    failed = _Counter()
    """Failed inside Twilio."""
    undelivered = _Counter()
    """Sent, and not delivered."""
    canceled = _Counter()
    """Cancelled through the API."""

    def counters(self) -> dict[str, int]:
        """Return the counters that the API did report, the known first, in snake_case."""
        data = self._data
        known = {name: int(data[name]) for name in self.resource.counters if name in data}
        if len(known) == len(data):  # As nearly always.
            return known
        unknown = {_snake_case(name): value for name, value in self._unknown() if type(value) is int}
        return known | unknown | known

    @property
    def extra(self) -> dict[str, Any]:
        """What the API reported beside the known counters, as it stands there."""
        return dict(self._unknown())

    def _unknown(self) -> Iterable[tuple[str, Any]]:
        return ((name, value) for name, value in self._data.items() if name not in self.resource.counters)

    def __repr__(self) -> str:
        # As in an operation: what we do not know is kept, but not shown.
        return f"{type(self).__name__}({self.counters()})"


class EmailStats(OperationStats):
    """The eleven counters of an e-mail operation."""

    __slots__ = ()

    resource = Resource.EMAILS

    opened = _Counter()
    """Opened, by unique recipients; may go on growing after the operation is completed."""


class MessageStats(OperationStats):
    """The twelve counters of a message operation."""

    __slots__ = ()

    resource = Resource.MESSAGES

    read = _Counter()
    """Read by recipients; may go on growing after the operation is completed."""
    unaddressable = _Counter()
    """Recipients with no usable address; not attempted."""


class Operation(_Frozen):
    """
    One send to many recipients, as far as it has come.

    :param id: id of the operation.
    :param status: an `OperationStatus`, or text where it is none.
    :param stats: counters by name; values that are not whole numbers are refused, but for unknown ones.
    :param created_at: a datetime or ISO 8601 (UTC if without a zone), or seconds since the epoch.
    :param updated_at: likewise.
    :param extra: fields that are not known.
    :raises ValueError: one of them cannot be read; the text names the field, and does not quote it.
    """

    __slots__ = ()

    resource: ClassVar[Resource]
    _stats: ClassVar[type[OperationStats]]

    def __init__(
        self,
        *,
        id: str,  # noqa: A002
        status: str,
        stats: Mapping[str, Any],
        created_at: datetime | str | float,
        updated_at: datetime | str | float,
        **extra: Any,
    ) -> None:
        record = {"id": id, "status": status, "stats": {**stats}, "createdAt": created_at, "updatedAt": updated_at}
        _set_data(self, _converted(record | extra, self.resource))

    @classmethod
    def of_record(cls, record: object) -> Self:
        """
        Return the operation that a record of the API's JSON tells of. It takes the record for itself.

        :raises ValueError: the record cannot be read; the text names the field, and does not quote it.
        """
        return _frozen(cls, _documented(record) or _converted(record, cls.resource))

    @property
    def id(self) -> str:
        """Id of the operation."""
        return self._data["id"]  # type: ignore[no-any-return]

    @property
    def status(self) -> OperationStatus | str:
        """Status; text where it is none that Twilio documents."""
        return self._data["status"]  # type: ignore[no-any-return]

    @property
    def stats(self) -> OperationStats:
        """Counters."""
        return _frozen(self._stats, self._data["stats"])

    @property
    def created_at(self) -> datetime:
        """When it was created; aware."""
        return self._data["createdAt"]  # type: ignore[no-any-return]

    @property
    def updated_at(self) -> datetime:
        """When it was last updated; aware. May lie before the creation."""
        return self._data["updatedAt"]  # type: ignore[no-any-return]

    @property
    def extra(self) -> dict[str, Any]:
        """Fields that are not known, as they stand in the record."""
        return {name: value for name, value in self._data.items() if name not in _READERS[self.resource]}

    @property
    def is_terminal(self) -> bool:
        """Whether the operation has ended. A status that nobody knows has not."""
        return isinstance(self.status, OperationStatus) and self.status.is_terminal

    def __repr__(self) -> str:
        # Fields that we do not know are kept, but not shown: a recipient may stand in one.
        shown = f"id={self.id!r}, status={str(self.status)!r}, stats={self.stats.counters()}"
        return f"{type(self).__name__}({shown})"


class EmailOperation(Operation):
    """One send of e-mails."""

    __slots__ = ()

    resource = Resource.EMAILS
    _stats = EmailStats

    @property
    def stats(self) -> EmailStats:
        """Counters."""
        return _frozen(EmailStats, self._data["stats"])


class MessageOperation(Operation):
    """One send of messages (SMS, RCS, WhatsApp)."""

    __slots__ = ()

    resource = Resource.MESSAGES
    _stats = MessageStats

    @property
    def stats(self) -> MessageStats:
        """Counters."""
        return _frozen(MessageStats, self._data["stats"])


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """
    A record of a page that is not an operation as the API documents it.

    :param id: id of the operation; None where that cannot be read either.
    :param error: which field, and what is wrong with it.
    """

    id: str | None
    error: CommsRecordError


@dataclass(frozen=True, slots=True)
class Page:
    """
    A part of a list of operations. An empty page may have a next one.

    :param operations: those that could be read, or what somebody kept of them.
    :param next_token: opaque token of the page that follows, never to be logged; None at the end of the list.
    :param unreadable: the records that could not be read.
    :param records: how many records the answer held.
    """

    operations: Sequence[Operation]
    next_token: str | None = field(default=None, repr=False)
    unreadable: tuple[UnreadableRecord, ...] = ()
    records: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether the answer held nothing."""
        return not (self.records or self.operations or self.unreadable)


OPERATION_MODEL: dict[Resource, type[Operation]] = {
    Resource.EMAILS: EmailOperation,
    Resource.MESSAGES: MessageOperation,
}


def read_records(
    resource: Resource, records: Iterable[object], refuse: Callable[[object, ValueError], None]
) -> list[Operation]:
    """
    Return the operations that records of the API's JSON tell of. It takes the records for itself.

    :param refuse: called with each record that cannot be read, and the reason; the reason does not quote it.
    """
    kind = OPERATION_MODEL[resource]
    operations: list[Operation] = []
    for record in records:
        try:
            data = _documented(record) or _converted(record, resource)
        except ValueError as reason:
            refuse(record, reason)
        else:
            operations.append(_frozen(kind, data))
    return operations


def _documented(record: Any) -> Record | None:
    """
    Do what :func:`_converted` does, in half the time, to a record that is as Twilio documents it.

    :return: None if it is not. All but a few are, and a listing's time is mostly spent here.
    """
    documented: Record = record
    try:
        created, updated = _fromisoformat(record["createdAt"]), _fromisoformat(record["updatedAt"])
        status = _STATUSES[record["status"]]
        # The quickest way to see that all counters are whole numbers. It is no sum of anything.
        if type(sum(record["stats"].values())) is not int or not record["id"].isascii():
            return None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not (created.tzinfo is updated.tzinfo is UTC):
        return None
    if not (_FIRST_YEAR <= created.year < _LAST_YEAR and _FIRST_YEAR <= updated.year < _LAST_YEAR):
        return None
    documented["status"], documented["createdAt"], documented["updatedAt"] = status, created, updated
    return documented


def _converted(record: object, resource: Resource) -> Record:
    """Return the record with its known fields turned into what they mean, each in its place."""
    if type(record) is not dict:
        raise ValueError(f"it is {_kind(record)}, not a JSON object")
    for name, read in _READERS[resource].items():
        if name not in record:
            raise ValueError(f"{name} is missing")
        record[name] = read(name, record[name])
    return record


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
    return aware if _FIRST_YEAR <= aware.year < _LAST_YEAR else min(max(aware, EARLIEST), LATEST)


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


def _snake_case(name: str) -> str:
    return _BETWEEN_WORDS.sub("_", name).lower()


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

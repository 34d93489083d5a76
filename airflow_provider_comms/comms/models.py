"""
Operations and pages of them, as frozen objects.

A missing counter is 0 and does not show among the `counters()`; unknown counters and fields are kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar, overload

from airflow_provider_comms.comms.records import read_record, read_records
from airflow_provider_comms.comms.resource import OperationStatus, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from airflow_provider_comms.comms.errors import CommsRecordError
    from airflow_provider_comms.comms.records import Columns

_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=[0-9])|-")


class _Frozen:
    """Holds one value that nobody changes."""

    __slots__ = ("_data",)

    _data: Any

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen; {name!r} cannot be set.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen; {name!r} cannot be deleted.")

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[type[Self], Any]]:
        return _frozen, (type(self), self._data)

    def __eq__(self, other: object) -> bool:
        return bool(self._data == other._data) if type(other) is type(self) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


F = TypeVar("F", bound=_Frozen)
_set_data = _Frozen.__dict__["_data"].__set__  # Past `__setattr__`.


def _frozen(kind: type[F], data: Any) -> F:
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
        """What the API reported in addition to the known counters, unchanged."""
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
    """Opened, by unique recipients; may keep growing after the operation is completed."""


class MessageStats(OperationStats):
    """The twelve counters of a message operation."""

    __slots__ = ()

    resource = Resource.MESSAGES

    read = _Counter()
    """Read by recipients; may keep growing after the operation is completed."""
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
        _set_data(self, read_record(self.resource, record | extra))

    @classmethod
    def of_record(cls, record: object) -> Self:
        """
        Return the operation that a record of the API's JSON describes.

        :raises ValueError: the record cannot be read; the text names the field, and does not quote it.
        """
        return _frozen(cls, read_record(cls.resource, record))

    @property
    def id(self) -> str:
        """Id of the operation."""
        return self._data[0]  # type: ignore[no-any-return]

    @property
    def status(self) -> OperationStatus | str:
        """Status; text where it is none that Twilio documents."""
        return self._data[1]  # type: ignore[no-any-return]

    @property
    def stats(self) -> OperationStats:
        """Counters."""
        return _frozen(self._stats, self._data[2])

    @property
    def created_at(self) -> datetime:
        """When it was created; aware."""
        return self._data[3]  # type: ignore[no-any-return]

    @property
    def updated_at(self) -> datetime:
        """When it was last updated; aware. May lie before the creation."""
        return self._data[4]  # type: ignore[no-any-return]

    @property
    def extra(self) -> dict[str, Any]:
        """Unknown fields, as they are in the record."""
        return dict(self._data[5] or {})

    @property
    def is_terminal(self) -> bool:
        """Whether the operation has ended. An unknown status has not."""
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
        return _frozen(EmailStats, self._data[2])


class MessageOperation(Operation):
    """One send of messages (SMS, RCS, WhatsApp)."""

    __slots__ = ()

    resource = Resource.MESSAGES
    _stats = MessageStats

    @property
    def stats(self) -> MessageStats:
        """Counters."""
        return _frozen(MessageStats, self._data[2])


OPERATION_MODEL: dict[Resource, type[Operation]] = {
    Resource.EMAILS: EmailOperation,
    Resource.MESSAGES: MessageOperation,
}


class Operations(Sequence[Operation]):
    """
    The operations of a page, each made when somebody looks at it.

    Until then a page of 1,000 is a few lists for the garbage collector, which in a task walks through all of Airflow
    the more often, the more objects it finds.

    :param kind: of all of them.
    :param columns: their fields.
    """

    __slots__ = ("_columns", "_kind")

    def __init__(self, kind: type[Operation], columns: Columns) -> None:
        self._kind = kind
        self._columns = columns

    @classmethod
    def of_records(cls, resource: Resource, records: list[Any], refuse: Callable[[object, ValueError], None]) -> Self:
        """
        Return the operations that records of the API's JSON describe.

        :param refuse: called with each record that cannot be read, and the reason; the reason does not quote it.
        """
        return cls(OPERATION_MODEL[resource], read_records(resource, records, refuse))

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return self._columns[0]

    @property
    def created_at(self) -> list[datetime]:
        """When they were created; aware."""
        return self._columns[3]

    def where(self, keep: Sequence[bool]) -> Operations:
        """Return those whose place says True."""
        return self if all(keep) else Operations(self._kind, [[*compress(column, keep)] for column in self._columns])

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[Operation]:
        return map(_frozen, repeat(self._kind), zip(*self._columns, strict=True))

    @overload
    def __getitem__(self, at: int) -> Operation: ...

    @overload
    def __getitem__(self, at: slice) -> Operations: ...

    def __getitem__(self, at: int | slice) -> Operation | Operations:
        if isinstance(at, slice):
            return Operations(self._kind, [column[at] for column in self._columns])
        return _frozen(self._kind, tuple(column[at] for column in self._columns))


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

    :param operations: those that could be read.
    :param next_token: opaque token of the page that follows, never to be logged; None at the end of the list.
    :param unreadable: the records that could not be read.
    :param records: how many records the answer held.
    """

    operations: Operations
    next_token: str | None = field(default=None, repr=False)
    unreadable: tuple[UnreadableRecord, ...] = ()
    records: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether the answer held nothing."""
        return not (self.records or self.operations or self.unreadable)


def _snake_case(name: str) -> str:
    return _BETWEEN_WORDS.sub("_", name).lower()

"""
The API's answers as typed models. Tolerant where Twilio's own pages differ from each other.

An unknown status stays text; unknown counters and fields are kept; a missing counter is 0 and does not show
among the `counters()`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel, to_snake

from airflow_provider_comms.comms.resource import OperationStatus, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Counter = int
    Moment = datetime
    Status = OperationStatus | str
else:
    # The common case comes first and is decided without a call into Python.
    Counter = Annotated[int | Annotated[None, AfterValidator(lambda _: 0)], Field(union_mode="left_to_right")]
    Moment = Annotated[
        AwareDatetime | Annotated[datetime, AfterValidator(lambda naive: naive.replace(tzinfo=UTC))],
        Field(union_mode="left_to_right"),
    ]
    Status = Annotated[OperationStatus | str, Field(union_mode="left_to_right")]


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel, populate_by_name=True)


class OperationStats(_Tolerant):
    """
    The counters that both resources share. They are no partition: never add them up to a whole.

    Source: Twilio's pages on the operation resources.
    """

    total: Counter = 0
    """Resources created."""
    recipients: Counter = 0
    """Recipients targeted."""
    attempts: Counter = 0
    """Attempts to send; may exceed the recipients."""
    queued: Counter = 0
    sent: Counter = 0
    scheduled: Counter = 0
    delivered: Counter = 0
    failed: Counter = 0
    """Failed inside Twilio."""
    undelivered: Counter = 0
    """Sent, and not delivered."""
    canceled: Counter = 0
    """Cancelled through the API."""

    def counters(self) -> dict[str, int]:
        """Return the counters that the API did report, the known first, in snake_case."""
        known = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        extra = (self.model_extra or {}).items()
        return known | {to_snake(name): value for name, value in extra if type(value) is int}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        # As in an operation: fields that we do not know are kept, but not shown.
        return iter(self.counters().items())


class EmailStats(OperationStats):
    """The eleven counters of an e-mail operation."""

    opened: Counter = 0
    """Opened, by unique recipients; may go on growing after the operation is completed."""


class MessageStats(OperationStats):
    """The twelve counters of a message operation."""

    read: Counter = 0
    """Read by recipients; may go on growing after the operation is completed."""
    unaddressable: Counter = 0
    """Recipients with no usable address; not attempted."""


class Operation(_Tolerant):
    """One send to many recipients, as far as it has come."""

    resource: ClassVar[Resource]

    id: str
    status: Status
    stats: OperationStats
    created_at: Moment
    updated_at: Moment

    @property
    def is_terminal(self) -> bool:
        """Whether the operation has ended. A status that nobody knows has not."""
        return isinstance(self.status, OperationStatus) and self.status.is_terminal

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        # Fields that we do not know are kept, but not shown: a recipient may stand in one.
        return iter([("id", self.id), ("status", str(self.status)), ("stats", self.stats.counters())])


class EmailOperation(Operation):
    """One send of e-mails."""

    resource = Resource.EMAILS
    stats: EmailStats


class MessageOperation(Operation):
    """One send of messages (SMS, RCS, WhatsApp)."""

    resource = Resource.MESSAGES
    stats: MessageStats


class Pagination(BaseModel):
    """Two opaque tokens, never to be logged."""

    model_config = ConfigDict(frozen=True)

    next: str | None = Field(default=None, repr=False)


class Page(BaseModel):
    """A part of a list of operations. An empty page may have a next one."""

    # Keys come again and again; ids do not, and looking for them in the parser's cache takes a tenth of its time.
    model_config = ConfigDict(frozen=True, cache_strings="keys")

    operations: Sequence[Operation]
    pagination: Pagination | None = None

    @property
    def next_token(self) -> str | None:
        """The token of the page that follows; None or an empty one ends the list."""
        return (self.pagination and self.pagination.next) or None


class EmailPage(Page):
    """A page of e-mail operations."""

    operations: tuple[EmailOperation, ...]


class MessagePage(Page):
    """A page of message operations."""

    operations: tuple[MessageOperation, ...]


OPERATION_MODEL: dict[Resource, type[Operation]] = {
    Resource.EMAILS: EmailOperation,
    Resource.MESSAGES: MessageOperation,
}
PAGE_MODEL: dict[Resource, type[Page]] = {Resource.EMAILS: EmailPage, Resource.MESSAGES: MessagePage}

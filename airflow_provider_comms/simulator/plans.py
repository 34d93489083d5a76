"""What an operation is meant to do: how long it takes and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_comms.simulator.checks import (
    FieldError,
    build,
    mapping,
    number,
    one_of,
    text,
    texts,
    truth,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_comms.simulator.identifiers import Resource

STATUSES = ("SCHEDULED", "PROCESSING", "COMPLETED", "CANCELED")
ENDINGS = ("COMPLETED", "CANCELED")
_SECONDS = ("scheduled_for", "processing_for", "opening_for")
_SHARES = ("delivered", "failed", "undelivered", "unaddressable", "canceled")
_ROUNDING = 1e-9


class Outcome(NamedTuple):
    """Final counts of recipients by what became of them."""

    delivered: int
    opened: int
    failed: int
    undelivered: int
    unaddressable: int
    canceled: int


@dataclass(frozen=True, kw_only=True)
class OperationPlan:
    """
    The life of one operation; its state at a moment follows from this and its age alone.

    Shares are between 0 and 1, of ``recipients``; ``opened`` alone is a share of the delivered. What the shares
    leave over is delivered, or canceled when the operation ends so; where that share was given as well, the rest
    stays counted as sent.

    :param scheduled_for: seconds in SCHEDULED.
    :param processing_for: seconds in PROCESSING, while counters grow.
    :param recipients: how many recipients the operation has.
    :param ends_in: ``COMPLETED`` or ``CANCELED``.
    :param delivered: share delivered; None means the rest.
    :param opened: share of the delivered that is opened (e-mails) or read (messages, also taken as ``read``).
    :param failed: share that fails.
    :param undelivered: share sent but not delivered.
    :param unaddressable: share without a usable address (messages only).
    :param canceled: share canceled, counted when the operation ends; None means the rest if it ends CANCELED.
    :param opening_for: seconds for which opened / read goes on growing after the end.
    :param raw_status: a status shown whatever the timeline says, such as ``PAUSED``.
    :param raw_stats: counters shown instead of the computed ones, or beside them.
    :param omit_stats: names of counters left out.
    :param raw_fields: fields of the operation shown instead of the computed ones, or beside them.
    :param omit_fields: names of fields left out.
    :param raw_json: the operation's JSON, shown as it is instead of all that; need not be an object.
    :param list_fields: fields shown instead or beside, but in listings only.
    :param listed: False leaves the operation out of every listing; it can still be fetched.
    :raises FieldError: when a value makes no sense.
    """

    scheduled_for: float = 0.0
    processing_for: float = 10.0
    recipients: int = 100
    ends_in: str = "COMPLETED"
    delivered: float | None = None
    opened: float = 0.0
    failed: float = 0.0
    undelivered: float = 0.0
    unaddressable: float = 0.0
    canceled: float | None = None
    opening_for: float = 0.0
    raw_status: str | None = None
    raw_stats: Mapping[str, Any] = field(default_factory=dict, hash=False)
    omit_stats: tuple[str, ...] = ()
    raw_fields: Mapping[str, Any] = field(default_factory=dict, hash=False)
    omit_fields: tuple[str, ...] = ()
    raw_json: str | None = None
    list_fields: Mapping[str, Any] = field(default_factory=dict, hash=False)
    listed: bool = True

    def __post_init__(self) -> None:
        for name in _SECONDS:
            number(name, getattr(self, name))
        whole("recipients", self.recipients)
        one_of("ends_in", self.ends_in, ENDINGS)
        number("opened", self.opened, most=1)
        self._check_shares()
        self._check_overrides()

    def _check_shares(self) -> None:
        given = {name: getattr(self, name) for name in _SHARES if getattr(self, name) is not None}
        total = sum(number(name, share, most=1) for name, share in given.items())
        if total > 1 + _ROUNDING:
            raise FieldError(
                max(given, key=given.__getitem__),
                f"the shares {', '.join(_SHARES)} add up to {total:g}, above 1",
            )

    def _check_overrides(self) -> None:
        if self.raw_status is not None:
            text("raw_status", self.raw_status)
        if self.raw_json is not None:
            text("raw_json", self.raw_json)
        truth("listed", self.listed)
        for name in ("raw_stats", "raw_fields", "list_fields"):
            object.__setattr__(self, name, mapping(name, getattr(self, name)))
        for name in ("omit_stats", "omit_fields"):
            object.__setattr__(self, name, texts(name, getattr(self, name)))

    @cached_property
    def starts_ms(self) -> int:
        """Age in milliseconds at which SCHEDULED ends."""
        return round(self.scheduled_for * 1000)

    @cached_property
    def ends_ms(self) -> int:
        """Age in milliseconds at which PROCESSING ends."""
        return self.starts_ms + round(self.processing_for * 1000)

    @cached_property
    def settles_ms(self) -> int:
        """Age in milliseconds after which nothing changes any more."""
        return self.ends_ms + round(self.opening_for * 1000)

    @cached_property
    def outcome(self) -> Outcome:
        """The final counts; they never add up to more than ``recipients``."""
        left = self.recipients

        def take(share: float | None) -> int:
            nonlocal left
            taken = min(left, round((share or 0.0) * self.recipients))
            left -= taken
            return taken

        failed, undelivered, unaddressable = (
            take(self.failed),
            take(self.undelivered),
            take(self.unaddressable),
        )
        canceled, delivered = take(self.canceled), take(self.delivered)
        if self.ends_in == "CANCELED" and self.canceled is None:
            canceled += left
        elif self.delivered is None:
            delivered += left
        opened = round(self.opened * delivered)
        return Outcome(delivered, opened, failed, undelivered, unaddressable, canceled)


def plan_for(resource: Resource, plan: OperationPlan | None, values: Mapping[str, Any]) -> OperationPlan:
    """
    The plan given, or one made from named values.

    :raises FieldError: for both at once, an unknown name, a bad value, or one that the resource does not have.
    """
    if plan is not None and values:
        raise FieldError(next(iter(values)), "give either a plan or its fields, not both")
    made = build(OperationPlan, _spelled(resource, values)) if plan is None else plan
    if resource == "emails" and made.unaddressable:
        raise FieldError("unaddressable", "only messages have this counter")
    return made


def _spelled(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Messages are read where e-mails are opened: one field of the plan stands for both."""
    if resource != "messages" or "read" not in values:
        return dict(values)
    if "opened" in values:
        raise FieldError("read", "give either read or opened, not both")
    return {("opened" if name == "read" else name): value for name, value in values.items()}

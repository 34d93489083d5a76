"""What an operation is meant to do: how long it takes and how it ends."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from airflow_provider_comms.simulator.fields import Count, FieldError, Model, Seconds, Share, Switch, Text
from airflow_provider_comms.simulator.identifiers import Resource

ENDINGS = ("COMPLETED", "CANCELED")
Reading = Literal["cumulative", "exclusive"]
_SHARES = ("delivered", "failed", "undelivered", "unaddressable", "canceled")


class Outcome(NamedTuple):
    """Final counts of recipients by outcome."""

    delivered: int
    opened: int
    failed: int
    undelivered: int
    unaddressable: int
    canceled: int


class OperationPlan(Model):
    """
    The life of one operation; its state at any time follows from this and its age alone.

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
    :param opening_for: seconds for which opened / read keeps growing after the end.
    :param counters: ``cumulative`` (who was reached also counts as sent) or ``exclusive`` (each recipient counts once,
        by its present state); where fields are given by name, the simulator's setting unless it is one of them.
    :param raw_status: a status shown whatever the timeline says, such as ``PAUSED``.
    :param raw_stats: counters shown instead of the computed ones, or in addition.
    :param omit_stats: names of counters left out.
    :param raw_fields: fields of the operation shown instead of the computed ones, or in addition.
    :param omit_fields: names of fields left out.
    :param raw_json: the operation's JSON, shown as it is instead of all that; need not be an object.
    :param list_fields: fields shown instead or beside, but in listings only.
    :param listed: False leaves the operation out of every listing; it can still be fetched.
    :raises FieldError: when a value makes no sense.
    """

    scheduled_for: Seconds = 0.0
    processing_for: Seconds = 10.0
    recipients: Count = 100
    ends_in: Literal["COMPLETED", "CANCELED"] = "COMPLETED"
    delivered: Share | None = None
    opened: Share = 0.0
    failed: Share = 0.0
    undelivered: Share = 0.0
    unaddressable: Share = 0.0
    canceled: Share | None = None
    opening_for: Seconds = 0.0
    counters: Reading = "cumulative"
    raw_status: Text | None = None
    raw_stats: dict[str, Any] = Field(default_factory=dict)
    omit_stats: tuple[Text, ...] = ()
    raw_fields: dict[str, Any] = Field(default_factory=dict)
    omit_fields: tuple[Text, ...] = ()
    raw_json: Text | None = None
    list_fields: dict[str, Any] = Field(default_factory=dict)
    listed: Switch = True

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        given = {name: getattr(self, name) or 0.0 for name in _SHARES}
        if (total := sum(given.values())) > 1 + 1e-9:  # Shares of a whole may miss it by rounding.
            largest = max(given, key=given.__getitem__)
            raise FieldError(largest, f"the shares {', '.join(_SHARES)} add up to {total:g}, above 1")
        return self

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

        failed, undelivered, unaddressable = map(take, (self.failed, self.undelivered, self.unaddressable))
        canceled, delivered = take(self.canceled), take(self.delivered)
        if self.ends_in == "CANCELED" and self.canceled is None:
            canceled += left
        elif self.delivered is None:
            delivered += left
        return Outcome(delivered, round(self.opened * delivered), failed, undelivered, unaddressable, canceled)


def plan_for(resource: Resource, plan: OperationPlan | None, values: dict[str, Any]) -> OperationPlan:
    """
    The plan given, or one made from named values.

    :raises FieldError: for both at once, an unknown name, a bad value, or one that the resource does not have.
    """
    if plan is not None and values:
        raise FieldError(next(iter(values)), "give either a plan or its fields, not both")
    if resource == "messages" and "read" in values:  # They are read where e-mails are opened: one field for both.
        if "opened" in values:
            raise FieldError("read", "give either read or opened, not both")
        values["opened"] = values.pop("read")
    plan = plan or OperationPlan(**values)
    if resource == "emails" and plan.unaddressable:
        raise FieldError("unaddressable", "only messages have this counter")
    return plan

"""The e-mails and messages that accepted sends create, each made when somebody asks for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property, partial
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

from airflow_provider_comms.simulator.clock import iso
from airflow_provider_comms.simulator.identifiers import make_id
from airflow_provider_comms.simulator.sends import AcceptedSend
from airflow_provider_comms.simulator.store import Operation, Order, Position, places_between
from airflow_provider_comms.simulator.timeline import changed_at, item_status_at

_PREFIXES = {"emails": "comms_email_", "messages": "comms_message_"}
#: What Twilio fills in where a request does not say it; made up.
_SENDER_ID = "comms_sender_01h9krwprkeee8fzqspvwy6nq8"
_PHONE_NUMBER = "+15005550006"


class Batch:
    """What one send creates, so many per second, or all at once; ``url`` is what those of its operation begin with."""

    def __init__(self, send: AcceptedSend, operation: Operation, per_second: float | None, url: str) -> None:
        self.send, self.operation, self.url = send, operation, url
        self._per_second = per_second
        self._seed = hashlib.sha256(send.operation_id.encode()).digest()[:8]

    def __len__(self) -> int:
        """Who cannot be addressed gets nothing; those are the last ones."""
        return self.send.recipient_count - self.operation.plan.outcome.unaddressable

    @cached_property
    def body(self) -> dict[str, Any]:
        """The request's body."""
        return self.send.body

    @property
    def sender(self) -> dict[str, Any]:
        """Who sends it, if the request says so."""
        return dict(self.body.get("from", {}))

    @property
    def channel(self) -> str:
        """The channel of a message's sender."""
        return str(self.sender.get("channel", "SMS"))

    def position(self, place: int) -> Position:
        """When an item is created, and its id."""
        created_ms = self.operation.position.created_ms
        created_ms += round(place * 1000 / self._per_second) if self._per_second else 0
        random = self._seed + place.to_bytes(2, "big")
        return Position(created_ms, make_id(created_ms, random, _PREFIXES[self.send.resource]))

    def matches(self, filters: dict[str, str]) -> bool:
        """Whether anything of it can be in a list with these filters; it belongs to no session."""
        tags = {tuple(pair.split(":", 1)) for pair in filters.get("tags", "").split(";") if pair}
        return (
            filters.get("operation_id") in (None, self.send.operation_id)
            and tags <= self.send.tags.items()
            and ("channel" not in filters or filters["channel"] == self.channel)
            and "session_id" not in filters
        )


class Item(NamedTuple):
    """One e-mail or message: its place in a batch."""

    batch: Batch
    place: int

    @property
    def position(self) -> Position:
        """When it is created, and its id."""
        return self.batch.position(self.place)

    @property
    def recipient(self) -> dict[str, Any]:
        """The recipient, as the request has it."""
        return dict(self.batch.body["to"][self.place])

    def status(self, now_ms: int) -> str:
        """Its status."""
        operation = self.batch.operation
        return item_status_at(operation.plan, operation.resource, self.place, operation.age_ms(now_ms))

    def shows(self, status: str | None, now_ms: int) -> bool:
        """Whether it has a status (None: any)."""
        return status in (None, self.status(now_ms))

    def to_json(self, now_ms: int, *, in_list: bool = True) -> str:  # noqa: ARG002 - there are lists only
        """Its JSON: without its content."""
        (created_ms, item_id), operation, send = self.position, self.batch.operation, self.batch.send
        changed_ms = operation.position.created_ms + changed_at(operation.plan, operation.age_ms(now_ms))
        send_at = self.batch.body.get("schedule", {}).get("sendAt")
        parties = _email_parties if send.resource == "emails" else _message_parties
        return json.dumps(
            {
                "id": item_id,
                **parties(self.batch, self.recipient),
                "status": self.status(now_ms),
                "tags": send.tags,
                "scheduledFor": send_at[0] if send_at else None,
                "createdAt": iso(created_ms),
                "updatedAt": iso(max(created_ms, changed_ms)),
                "deletedAt": None,
            }
        )


def _email_parties(batch: Batch, recipient: dict[str, Any]) -> dict[str, Any]:
    return {"from": _email_party(batch.sender), "to": [_email_party(recipient)], "related": []}


def _email_party(party: dict[str, Any]) -> dict[str, str]:
    address = party.get("address") or f"{party.get('profileId', 'sender')}@example.com"
    return {"address": address} | ({"name": party["name"]} if "name" in party else {})


def _message_parties(batch: Batch, recipient: dict[str, Any]) -> dict[str, Any]:
    address, sender_id = batch.sender.get("address", _PHONE_NUMBER), batch.sender.get("senderId", _SENDER_ID)
    operation_id = batch.send.operation_id
    return {
        "from": {"address": address, "channel": batch.channel, "senderId": sender_id},
        "to": [_message_recipient(recipient)],
        "related": [{"name": "OPERATION", "id": operation_id, "uri": batch.url + operation_id}],
    }


def _message_recipient(recipient: dict[str, Any]) -> dict[str, str]:
    if "profileId" in recipient:
        ids = {name: recipient[name] for name in ("profileId", "memoryStoreId")}
        return {"address": _PHONE_NUMBER, "channel": "PHONE", **ids}
    address = recipient["addresses"][0] if "addresses" in recipient else recipient
    return {name: address[name] for name in ("address", "channel")}


def items_between(
    batches: list[Batch], begin: Position, end: Position, after: Position | None, order: Order, *, profile: str | None
) -> Iterator[Item]:
    """
    The items from ``begin`` up to, without, ``end``; of these, in their order, what follows ``after``.

    :param profile: only those to this profile; None for all.
    """
    listed = (
        map(partial(Item, one), places_between(range(len(one)), one.position, begin, end, after=after, order=order))
        for one in batches
    )
    items = merge(*listed, key=attrgetter("position"), reverse=order == "newest-first")
    return items if profile is None else (item for item in items if item.recipient.get("profileId") == profile)

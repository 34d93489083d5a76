"""The e-mails and messages that accepted sends create, each made when somebody asks for it."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_comms.simulator.clock import iso
from airflow_provider_comms.simulator.identifiers import make_id
from airflow_provider_comms.simulator.store import Position, places_between
from airflow_provider_comms.simulator.timeline import changed_at, item_status_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_comms.simulator.identifiers import Resource
    from airflow_provider_comms.simulator.sends import AcceptedSend
    from airflow_provider_comms.simulator.store import Operation, Order

_PREFIXES = {"emails": "comms_email_", "messages": "comms_message_"}
#: What Twilio fills in where a request does not say it; made up.
_SENDER_ID = "comms_sender_01h9krwprkeee8fzqspvwy6nq8"
_SENDERS = {"emails": "sender@example.com", "messages": "+15005550006"}


class Batch:
    """
    What one send creates.

    :param send: the send.
    :param operation: the operation that it created.
    :param per_second: how many come into being per second; None for all at once.
    :param url: what URLs in it begin with.
    """

    def __init__(self, send: AcceptedSend, operation: Operation, per_second: float | None, url: str) -> None:
        self.send, self.operation = send, operation
        self._per_second, self._url = per_second, url
        self._seed = hashlib.sha256(send.operation_id.encode()).digest()[:8]

    def __len__(self) -> int:
        """Who cannot be addressed gets nothing; those are the last ones."""
        return self.send.recipient_count - self.operation.plan.outcome.unaddressable

    @cached_property
    def body(self) -> dict[str, Any]:
        """The request's body."""
        return self.send.body

    @cached_property
    def channel(self) -> str:
        """The channel of a message's sender."""
        return str(self.body.get("from", {}).get("channel", "SMS"))

    def position(self, place: int) -> Position:
        """When an item is created, and its id."""
        later_ms = round(place * 1000 / self._per_second) if self._per_second else 0
        created_ms = self.operation.position.created_ms + later_ms
        return Position(
            created_ms, make_id(created_ms, self._seed + place.to_bytes(2, "big"), _PREFIXES[self.send.resource])
        )

    def status(self, place: int, now_ms: int) -> str:
        """An item's status."""
        return item_status_at(self.operation.plan, self.send.resource, place, self._age_ms(now_ms))

    def _age_ms(self, now_ms: int) -> int:
        return now_ms - self.operation.position.created_ms

    def to_json(self, place: int, now_ms: int) -> str:
        """An item as the API lists it: without its content."""
        (created_ms, item_id), operation = self.position(place), self.operation
        changed_ms = operation.position.created_ms + changed_at(operation.plan, self._age_ms(now_ms))
        send_at = self.body.get("schedule", {}).get("sendAt")
        sender, recipient = self.body.get("from", {}), self.body["to"][place]
        emails = self.send.resource == "emails"
        return json.dumps(
            {
                "id": item_id,
                "from": _email_party(sender) if emails else self._message_sender(sender),
                "to": [_email_party(recipient) if emails else _message_recipient(recipient)],
                "status": self.status(place, now_ms),
                "related": [] if emails else [self._related()],
                "tags": self.send.tags,
                "scheduledFor": send_at[0] if send_at else None,
                "createdAt": iso(created_ms),
                "updatedAt": iso(max(created_ms, changed_ms)),
                "deletedAt": None,
            }
        )

    def _related(self) -> dict[str, str]:
        return {"name": "OPERATION", "id": self.send.operation_id, "uri": self._url + self.send.operation_id}

    def _message_sender(self, sender: dict[str, Any]) -> dict[str, str]:
        address = sender.get("address", _SENDERS["messages"])
        return {"address": address, "channel": self.channel, "senderId": sender.get("senderId", _SENDER_ID)}


def _email_party(party: dict[str, Any]) -> dict[str, str]:
    address = party.get("address") or f"{party.get('profileId', 'sender')}@example.com"
    return {"address": address} | ({"name": party["name"]} if "name" in party else {})


def _message_recipient(recipient: dict[str, Any]) -> dict[str, str]:
    if "profileId" in recipient:
        ids = {name: recipient[name] for name in ("profileId", "memoryStoreId")}
        return {"address": _SENDERS["messages"], "channel": "PHONE", **ids}
    address = recipient["addresses"][0] if "addresses" in recipient else recipient
    return {name: address[name] for name in ("address", "channel")}


class Item(NamedTuple):
    """One e-mail or message: its place in a batch."""

    batch: Batch
    place: int

    @property
    def position(self) -> Position:
        """When it is created, and its id."""
        return self.batch.position(self.place)


class ItemList:
    """
    The items of a resource.

    :param resource: ``emails`` or ``messages``.
    :param batches: what they come from.
    :param filters: the filters that only lists of items have.
    """

    def __init__(self, resource: Resource, batches: Iterable[Batch], filters: dict[str, str]) -> None:
        self.name = resource
        self._filters = filters
        self._batches = [batch for batch in batches if _matches(batch, filters)]

    def between(self, begin: Position, end: Position, *, after: Position | None, order: Order) -> Iterator[Item]:
        """The items from ``begin`` up to, without, ``end``; of these, in their order, what follows ``after``."""
        newest_first = order == "newest-first"
        return merge(
            *(_items(batch, begin, end, after, newest_first) for batch in self._batches),
            key=attrgetter("position"),
            reverse=newest_first,
        )

    def shows(self, item: Item, status: str | None, now_ms: int) -> bool:
        """Whether an item is listed, and has the status (None: any)."""
        profile = self._filters.get("profile")
        if profile is not None and item.batch.body["to"][item.place].get("profileId") != profile:
            return False
        return status is None or status == item.batch.status(item.place, now_ms)

    def to_json(self, item: Item, now_ms: int, *, in_list: bool) -> str:  # noqa: ARG002 - there are lists only
        """An item's JSON."""
        return item.batch.to_json(item.place, now_ms)


def _items(batch: Batch, begin: Position, end: Position, after: Position | None, newest_first: bool) -> Iterator[Item]:
    places = places_between(range(len(batch)), batch.position, begin, end, after=after, newest_first=newest_first)
    return (Item(batch, place) for place in places)


def _matches(batch: Batch, filters: dict[str, str]) -> bool:
    """Whether anything of a batch can be in a list; it belongs to no session."""
    pairs = {tuple(pair.split(":", 1)) for pair in filters.get("tags", "").split(";") if pair}
    return (
        filters.get("operation_id") in (None, batch.send.operation_id)
        and pairs <= batch.send.tags.items()
        and ("channel" not in filters or filters["channel"] == batch.channel)
        and "session_id" not in filters
    )

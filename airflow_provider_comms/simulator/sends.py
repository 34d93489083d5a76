"""The requests to send that were accepted: the truth about who was sent what, and how often."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_provider_comms.simulator.identifiers import Resource

_RECENT = 100


@dataclass(frozen=True)
class AcceptedSend:
    """
    One request to send that was accepted, whatever became of its answer.

    :param resource: ``emails`` or ``messages``.
    :param operation_id: the operation that it created.
    :param at: when, by the simulator's clock.
    :param tags: its tags.
    :param recipient_count: how many recipients it has.
    :param packed: its body, compressed, so that a million recipients take some 10 MB.
    """

    resource: Resource
    operation_id: str
    at: datetime
    tags: dict[str, str]
    recipient_count: int
    packed: bytes = field(repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """The request's body."""
        return dict(json.loads(zlib.decompress(self.packed)))

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients' addresses, or profile ids, in the request's order."""
        return tuple(map(address_of, self.body["to"]))


def pack(body: bytes) -> bytes:
    """A body as :class:`AcceptedSend` keeps it."""
    return zlib.compress(body, 1)


def address_of(recipient: dict[str, Any]) -> str:
    """What a recipient is known by; one with several addresses by all of them."""
    if "addresses" in recipient:
        return " ".join(one["address"] for one in recipient["addresses"])
    return str(recipient.get("address") or recipient["profileId"])


def count_recipients(sends: Iterable[AcceptedSend], resource: Resource) -> Counter[str]:
    """How often each recipient was accepted."""
    return Counter(recipient for send in sends if send.resource == resource for recipient in send.recipients)


def summary(sends: tuple[AcceptedSend, ...], resource: Resource) -> dict[str, Any]:
    """The accepted sends of a resource as the control endpoint shows them; the latest 100 one by one."""
    own = [send for send in sends if send.resource == resource]
    counts = count_recipients(own, resource)
    return {
        "sends": len(own),
        "recipients": counts.total(),
        "distinct": len(counts),
        "repeated": {recipient: count for recipient, count in counts.items() if count > 1},
        "recent": [
            {
                "operation_id": send.operation_id,
                "at": send.at.isoformat(),
                "tags": send.tags,
                "recipients": send.recipient_count,
            }
            for send in own[-_RECENT:]
        ],
    }

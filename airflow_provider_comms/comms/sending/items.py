"""A page of the e-mails or messages that the API lists: of each only what tells which send it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.arguments import is_possible_id
from airflow_provider_comms.comms.http.response import next_token, not_as_documented, read_object
from airflow_provider_comms.comms.records import EARLIEST, LATEST

if TYPE_CHECKING:
    from airflow_provider_comms.comms.http.response import Response


@dataclass(frozen=True, slots=True)
class Item:
    """
    An e-mail or a message, without its recipient.

    :param tags: its tags.
    :param operation_ids: ids of the operations that it names; Twilio's samples of e-mails name none.
    :param created_at: when it was created; None if that cannot be read.
    """

    tags: dict[str, str]
    operation_ids: tuple[str, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """
    A part of a list of items. An empty page may have a next one.

    :param next_token: opaque token of the page that follows; None at the end of the list.
    """

    items: tuple[Item, ...]
    next_token: str | None = field(default=None, repr=False)


def parse_items(response: Response) -> ItemPage:
    """
    Read a page of items; what cannot be read of one is left out.

    :raises CommsStatusError: the API answered with an error status.
    :raises CommsProtocolError: the body is not a page of items.
    """
    body = read_object(response)
    # One of Twilio's guides calls the list `data`.
    records = body.get(response.request.resource.value, body.get("data"))
    if type(records) is not list:
        raise not_as_documented(response, f"'{response.request.resource}' is missing or not a list")
    return ItemPage(tuple(_item(one) for one in records if type(one) is dict), next_token(response, body))


def _item(record: dict[str, Any]) -> Item:
    tags, related = record.get("tags"), record.get("related")
    return Item(
        {name: value for name, value in tags.items() if type(value) is str} if type(tags) is dict else {},
        tuple(filter(is_possible_id, map(_operation_id, related if type(related) is list else ()))),
        _created_at(record.get("createdAt")),
    )


def _operation_id(related: object) -> object:
    return related.get("id") if isinstance(related, dict) and related.get("name") == "OPERATION" else None


def _created_at(value: object) -> datetime | None:
    if type(value) is not str:
        return None
    try:
        created = datetime.fromisoformat(value)
    except ValueError:
        return None
    aware = created if created.tzinfo else created.replace(tzinfo=UTC)
    # Else a window around it would leave the calendar.
    return aware if EARLIEST < aware < LATEST else None

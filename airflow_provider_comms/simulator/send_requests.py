"""What a request to send must look like: Twilio's schemas of ``POST /Emails`` and ``POST /Messages``."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, ValidationInfo, conlist

from airflow_provider_comms.simulator.fields import check, rfc_3339
from airflow_provider_comms.simulator.identifiers import ULID, Resource
from airflow_provider_comms.simulator.rcs import RCS
from airflow_provider_comms.simulator.responses import BadRequest, Problem, bad_request
from airflow_provider_comms.simulator.schema import SOME, an_object, closed, one_of, optional, some_of

#: Twilio: "the full request must not exceed 5 MB".
MAX_BYTES = 5_000_000
MAX_RECIPIENTS = 10_000
MAX_TEXT = 1600
MAX_AHEAD = timedelta(days=30)
_OWN_HEADERS = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"),
    *("to", "from", "subject", "reply-to", "cc", "bcc"),
}
_is_base64 = check(lambda text: base64.b64decode(text, validate=True) is not None, "must be base 64")
_is_free_header = check(lambda name: name.lower() not in _OWN_HEADERS, "may not be overridden")
_are_unique = check(lambda texts: len(set(texts)) == len(texts), "must be unique")
_is_short = check(
    lambda text: len(text) <= MAX_TEXT,
    f"The concatenated message text exceeds the {MAX_TEXT} character limit",
    code="21617",
)
_is_phone_number = check(
    re.compile(r"\+[1-9]\d{1,14}").fullmatch,
    "The address specified in the request is not a valid phone number.",
    code="21614",
)


def _first_is_time_to_send(texts: list[str], info: ValidationInfo[datetime]) -> list[str]:
    """The others do not count."""
    for text in texts[:1]:
        if datetime.fromisoformat(rfc_3339(text)) - info.context > MAX_AHEAD:
            raise ValueError(f"must be at most {MAX_AHEAD.days} days from now")
    return texts


def _identifier(kind: str) -> Any:
    return Annotated[str, Field(pattern=f"^{kind}_{ULID}")]


_TAG_TEXT = Field(pattern=r"^[a-zA-Z0-9._~-]+$")
_TAGS = dict[Annotated[str, _TAG_TEXT, Field(max_length=128)], Annotated[str, _TAG_TEXT, Field(max_length=256)]]
_ANY_SEND = {
    "tags": optional(Annotated[_TAGS, Field(max_length=10)]),
    "schedule": optional(some_of(sendAt=Annotated[list[str], AfterValidator(_first_is_time_to_send)])),
}
_VARIABLES = optional(dict[str, str])
_BY_SENDER_ID = an_object(senderId=_identifier("comms_sender"))
_BY_PROFILE = an_object(
    profileId=_identifier("mem_profile"), memoryStoreId=_identifier("mem_store"), variables=_VARIABLES
)


def _recipients(**forms: Any) -> Any:
    """The schema has no bounds here; Twilio's pages have these."""
    return conlist(one_of(**forms, profileId=_BY_PROFILE), min_length=1, max_length=MAX_RECIPIENTS)


EMAILS = an_object(
    **_ANY_SEND,
    from_=one_of(
        address=an_object(
            address=Annotated[str, Field(pattern=r"^[!-?A-~]+@[!-?A-~]+$")],
            name=Annotated[str, Field(pattern=r"^[\x00-\x7F]*$")],
        ),
        senderId=_BY_SENDER_ID,
    ),
    to=_recipients(
        address=an_object(
            address=Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], name=optional(str), variables=_VARIABLES
        )
    ),
    content=an_object(
        html=str,
        subject=str,
        text=optional(str),
        attachments=optional(
            conlist(
                an_object(
                    filename=SOME,
                    contentType=SOME,
                    content=Annotated[str, AfterValidator(_is_base64)],
                    cid=optional(SOME),
                )
            )
        ),
        headers=optional(dict[Annotated[str, AfterValidator(_is_free_header)], str]),
    ),
    ipPoolName=optional(Annotated[str, Field(min_length=2, max_length=64)]),
)

_CHANNEL = Literal["SMS", "RCS", "WHATSAPP"]
_SENDER_POOL = an_object(
    senderPoolId=_identifier("comms_senderpool"),
    channels=optional(
        an_object(
            filterIn=optional(Annotated[list[_CHANNEL], AfterValidator(_are_unique)]),
            priority=optional(conlist(an_object(channel=_CHANNEL, priority=int))),
        )
    ),
)
_ADDRESS = {
    "address": Annotated[str, AfterValidator(_is_phone_number)],
    "channel": Literal["PHONE", "WHATSAPP"],
}
_TEXT_WITH_MEDIA = some_of(
    text=Annotated[SOME, AfterValidator(_is_short)],
    media=conlist(an_object(url=SOME)),
)

MESSAGES = an_object(
    **_ANY_SEND,
    from_=optional(  # Left out, Twilio picks one.
        one_of(
            address=an_object(address=str, channel=_CHANNEL),
            senderId=_BY_SENDER_ID,
            senderPoolId=_SENDER_POOL,
        )
    ),
    to=_recipients(
        address=closed(**_ADDRESS, variables=_VARIABLES),
        addresses=an_object(addresses=conlist(closed(**_ADDRESS), min_length=1, max_length=10), variables=_VARIABLES),
    ),
    content=one_of(
        text=_TEXT_WITH_MEDIA,
        media=_TEXT_WITH_MEDIA,
        contentId=an_object(contentId=Annotated[str, Field(pattern=r"^HX[a-zA-Z0-9]{26,34}$")]),
        modules=an_object(
            modules=conlist(
                one_of(sms=an_object(sms=_TEXT_WITH_MEDIA), rcs=an_object(rcs=RCS)), min_length=1, max_length=4
            )
        ),
    ),
)
_SCHEMAS: dict[Resource, TypeAdapter[Any]] = {"emails": TypeAdapter(EMAILS), "messages": TypeAdapter(MESSAGES)}


class SendRequest(NamedTuple):
    """What counts of a request to send: how many recipients, its tags, and the seconds until it is to be sent."""

    recipient_count: int
    tags: dict[str, str]
    scheduled_for: float


def read_send(resource: Resource, headers: Mapping[str, str], body: bytes, now: datetime) -> SendRequest:
    """
    The request that a body holds.

    :param now: the time that a schedule is held against (aware).
    :raises BadRequest: with every problem that it has.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequest([Problem("null", "Content-Type must be application/json")])
    if len(body) > MAX_BYTES:
        raise BadRequest([Problem("$", "The full request must not exceed 5 MB")])
    try:
        send = _SCHEMAS[resource].validate_json(body, context=now)
    except ValidationError as error:
        raise bad_request(error) from None
    times = send.schedule.sendAt[:1] if send.schedule else []
    ahead = sum((datetime.fromisoformat(text) - now).total_seconds() for text in times)
    return SendRequest(len(send.to), send.tags or {}, max(0.0, ahead))

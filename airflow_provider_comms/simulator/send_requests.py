"""What a request to send must look like: Twilio's schemas of ``POST /Emails`` and ``POST /Messages``."""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, Tag, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from airflow_provider_comms.simulator.fields import RFC_3339
from airflow_provider_comms.simulator.rcs import Rcs
from airflow_provider_comms.simulator.responses import BadRequest, Problem
from airflow_provider_comms.simulator.schema import Closed, Object, Some, is_not_empty, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from airflow_provider_comms.simulator.identifiers import Resource

#: Twilio: "the full request must not exceed 5 MB".
MAX_BYTES = 5_000_000
MAX_RECIPIENTS = 10_000
MAX_TEXT = 1600
MAX_AHEAD = timedelta(days=30)
#: Twilio's codes of an address that is no phone number, and of a text that is too long.
_NO_PHONE_NUMBER, _TEXT_TOO_LONG = "21614", "21617"
_PHONE_NUMBER = re.compile(r"\+[1-9]\d{1,14}")
_OWN_HEADERS = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"),
    *("to", "from", "subject", "reply-to", "cc", "bcc"),
}


def _identifier(kind: str) -> Any:
    return Field(pattern=rf"^{kind}_[0-7][a-hjkmnpqrstv-z0-9]{{25,34}}")


def _is_ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("must not contain other characters than ASCII")
    return text


def _is_base64(text: str) -> str:
    base64.b64decode(text, validate=True)
    return text


def _is_free_header(name: str) -> str:
    if name.lower() in _OWN_HEADERS:
        raise ValueError("may not be overridden")
    return name


def _are_unique(texts: list[str]) -> list[str]:
    if len(set(texts)) < len(texts):
        raise ValueError("must be unique")
    return texts


def _is_short(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise PydanticCustomError(
            _TEXT_TOO_LONG, "The concatenated message text exceeds the {limit} character limit", {"limit": MAX_TEXT}
        )
    return text


def _is_phone_number(text: str) -> str:
    if not _PHONE_NUMBER.fullmatch(text):
        raise PydanticCustomError(_NO_PHONE_NUMBER, "The address specified in the request is not a valid phone number.")
    return text


def _first_is_time_to_send(texts: list[str], info: ValidationInfo[datetime]) -> list[str]:
    """The others do not count."""
    for text in texts[:1]:
        if not re.fullmatch(RFC_3339, text, re.ASCII):
            raise ValueError("must be a date and time as in RFC 3339, such as 2026-01-31T08:00:00Z")
        if datetime.fromisoformat(text) - info.context > MAX_AHEAD:
            raise ValueError(f"must be at most {MAX_AHEAD.days} days from now")
    return texts


_TagText = Field(pattern=r"^[a-zA-Z0-9._~-]+$")
_Tags = Annotated[
    dict[Annotated[str, _TagText, Field(max_length=128)], Annotated[str, _TagText, Field(max_length=256)]],
    Field(max_length=10),
]
_Variables = dict[str, str]
_EmailAddress = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
_PhoneNumber = Annotated[str, AfterValidator(_is_phone_number)]
_Text = Annotated[Some, AfterValidator(_is_short)]
_SenderId = Annotated[str, _identifier("comms_sender")]


class _Schedule(Closed):
    send_at: Annotated[list[str], AfterValidator(_first_is_time_to_send)] = Field(default_factory=list)


class _Send(Object):
    tags: _Tags = Field(default_factory=dict)
    schedule: Annotated[_Schedule, AfterValidator(is_not_empty)] = Field(default_factory=_Schedule)

    def seconds_until(self, now: datetime) -> float:
        """Seconds from ``now`` until it is to be sent; 0 where that is at once."""
        times = [datetime.fromisoformat(text) for text in self.schedule.send_at[:1]]
        return max(0.0, *((time - now).total_seconds() for time in times), 0.0)


class _SenderIdSender(Object):
    sender_id: _SenderId


class _Profile(Object):
    profile_id: Annotated[str, _identifier("mem_profile")]
    memory_store_id: Annotated[str, _identifier("mem_store")]
    variables: _Variables = Field(default_factory=dict)


# -- e-mails --


class _EmailSender(Object):
    address: Annotated[_EmailAddress, AfterValidator(_is_ascii)]
    name: Annotated[str, AfterValidator(_is_ascii)]


class _EmailRecipient(Object):
    address: _EmailAddress
    name: str = ""
    variables: _Variables = Field(default_factory=dict)


class _Attachment(Object):
    filename: Some
    content_type: Some
    content: Annotated[str, AfterValidator(_is_base64)]
    cid: Some = ""


class _EmailContent(Object):
    html: str
    subject: str
    text: str = ""
    attachments: list[_Attachment] = Field(default_factory=list)
    headers: dict[Annotated[str, AfterValidator(_is_free_header)], str] = Field(default_factory=dict)


class SendEmails(_Send):
    """The body of ``POST /Emails``."""

    from_: Annotated[
        Annotated[_EmailSender, Tag("<address>")] | Annotated[_SenderIdSender, Tag("<sender>")],
        one_of(address="<address>", senderId="<sender>"),
    ] = Field(alias="from")
    # The schema has no bounds here; Twilio's pages have these.
    to: Annotated[
        list[
            Annotated[
                Annotated[_EmailRecipient, Tag("<address>")] | Annotated[_Profile, Tag("<profile>")],
                one_of(address="<address>", profileId="<profile>"),
            ]
        ],
        Field(min_length=1, max_length=MAX_RECIPIENTS),
    ]
    content: _EmailContent
    ip_pool_name: Annotated[str, Field(min_length=2, max_length=64)] = ""


# -- messages --

_Channel = Literal["PHONE", "WHATSAPP"]
_SenderChannel = Literal["SMS", "RCS", "WHATSAPP"]


class _MessageSender(Object):
    address: str
    channel: _SenderChannel


class _ChannelPriority(Object):
    channel: _SenderChannel
    priority: int


class _Channels(Object):
    filter_in: Annotated[list[_SenderChannel], AfterValidator(_are_unique)] = Field(default_factory=list)
    priority: list[_ChannelPriority] = Field(default_factory=list)


class _SenderPool(Object):
    sender_pool_id: Annotated[str, _identifier("comms_senderpool")]
    channels: _Channels = Field(default_factory=_Channels)


class _Address(Closed):
    address: _PhoneNumber
    channel: _Channel


class _AddressRecipient(_Address):
    variables: _Variables = Field(default_factory=dict)


class _AddressesRecipient(Object):
    addresses: Annotated[list[_Address], Field(min_length=1, max_length=10)]
    variables: _Variables = Field(default_factory=dict)


class _Media(Object):
    url: Some


class _TextWithMedia(Closed):
    text: _Text = ""
    media: list[_Media] = Field(default_factory=list)


class _Template(Object):
    content_id: Annotated[str, Field(pattern=r"^HX[a-zA-Z0-9]{26,34}$")]


class _SmsModule(Object):
    sms: Annotated[_TextWithMedia, AfterValidator(is_not_empty)]


class _RcsModule(Object):
    rcs: Rcs


class _Modules(Object):
    modules: Annotated[
        list[
            Annotated[
                Annotated[_SmsModule, Tag("<sms>")] | Annotated[_RcsModule, Tag("<rcs>")],
                one_of(sms="<sms>", rcs="<rcs>"),
            ]
        ],
        Field(min_length=1, max_length=4),
    ]


class SendMessages(_Send):
    """The body of ``POST /Messages``."""

    from_: Annotated[
        Annotated[_MessageSender, Tag("<address>")]
        | Annotated[_SenderIdSender, Tag("<sender>")]
        | Annotated[_SenderPool, Tag("<pool>")],
        one_of(address="<address>", senderId="<sender>", senderPoolId="<pool>"),
    ] = Field(default_factory=_SenderPool.model_construct, alias="from")  # Left out, Twilio picks one.
    to: Annotated[
        list[
            Annotated[
                Annotated[_AddressRecipient, Tag("<address>")]
                | Annotated[_AddressesRecipient, Tag("<addresses>")]
                | Annotated[_Profile, Tag("<profile>")],
                one_of(address="<address>", addresses="<addresses>", profileId="<profile>"),
            ]
        ],
        Field(min_length=1, max_length=MAX_RECIPIENTS),
    ]
    content: Annotated[
        Annotated[_TextWithMedia, Tag("<text>")]
        | Annotated[_Template, Tag("<template>")]
        | Annotated[_Modules, Tag("<modules>")],
        one_of(text="<text>", media="<text>", contentId="<template>", modules="<modules>"),
    ]


_FORMS: dict[Resource, type[SendEmails | SendMessages]] = {"emails": SendEmails, "messages": SendMessages}


def read_send(resource: Resource, headers: Mapping[str, str], body: bytes, now: datetime) -> SendEmails | SendMessages:
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
        return _FORMS[resource].model_validate_json(body, context=now)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise BadRequest([_problem(one) for one in found]) from None


def _problem(found: ErrorDetails) -> Problem:
    message = str(found.get("ctx", {}).get("error") or found["msg"])
    code = int(found["type"]) if found["type"].isdigit() else None
    return Problem(_json_path(found["loc"]), message, code)


def _json_path(location: tuple[int | str, ...]) -> str:
    """The JSON path of what pydantic locates, which also names the form of an object, and that a key is meant."""
    steps = [step for step in location if not (isinstance(step, str) and re.fullmatch(r"<\w+>|\[key\]", step))]
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)

"""
The bodies of POST /Emails and POST /Messages, as Twilio's OpenAPI file has them.

Stricter in one thing: an unknown field is refused. The API's schema is open, so it would ignore a misspelt one.
Loaded when a request is made: pydantic builds these classes in some 30 ms.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from airflow_provider_comms.comms.sending.checks import (
    MAX_RECIPIENTS,
    MAX_TAG_NAME,
    MAX_TAG_VALUE,
    MAX_TAGS,
    TAG_CHARACTER,
    ascii_only,
    base64_text,
    each_once,
    email_address,
    header_name,
    header_value,
    message_address,
    one_line,
    sms_text,
)
from airflow_provider_comms.comms.sending.model import Model, NotEmpty, Text, by_field, tag
from airflow_provider_comms.comms.sending.rcs import RcsContent

_TAG_PATTERN = f"^{TAG_CHARACTER}+$"
TagName = Annotated[str, Field(min_length=1, max_length=MAX_TAG_NAME, pattern=_TAG_PATTERN)]
TagValue = Annotated[str, Field(min_length=1, max_length=MAX_TAG_VALUE, pattern=_TAG_PATTERN)]
# Ten of them stay far below Twilio's 10,000 bytes in all.
Tags = Annotated[dict[TagName, TagValue], Field(max_length=MAX_TAGS)]
TAGS: TypeAdapter[dict[str, str]] = TypeAdapter(Tags, config=ConfigDict(strict=True, hide_input_in_errors=True))
Variables = dict[str, str]


def identifier(kind: str) -> Any:
    """Return the type of an id. Wider than Twilio's pattern, which one of Twilio's own samples breaks."""
    return Annotated[str, Field(pattern=rf"^{kind}_[0-9a-z]{{20,40}}$")]


class Profile(Model):
    """A recipient that Twilio knows by a profile."""

    profile_id: identifier("mem_profile")  # type: ignore[valid-type]
    memory_store_id: identifier("mem_store")  # type: ignore[valid-type]
    variables: Variables | None = None


class SenderId(Model):
    """A sender that is set up at Twilio."""

    sender_id: identifier("comms_sender")  # type: ignore[valid-type]


class Schedule(Model):
    """When it is sent. Of several times Twilio takes the first, so there is one."""

    send_at: Annotated[list[str], Field(min_length=1, max_length=1)]


# -- Emails --------------------------------------------------------------------------------------------------------


class EmailSender(Model):
    """Who an e-mail is from."""

    address: Annotated[str, AfterValidator(email_address), AfterValidator(ascii_only)]
    name: Annotated[str, Field(min_length=1), AfterValidator(one_line), AfterValidator(ascii_only)]


class EmailRecipient(Model):
    """Who an e-mail is to."""

    address: Annotated[str, AfterValidator(email_address)]
    name: Annotated[str, AfterValidator(one_line)] | None = None
    variables: Variables | None = None


class Attachment(Model):
    """A file. Its content is base64."""

    filename: Text
    content_type: Text
    content: Annotated[str, AfterValidator(base64_text)]
    cid: Text | None = None


class EmailContent(Model):
    """What an e-mail says."""

    subject: Text
    html: Text
    text: str | None = None
    attachments: list[Attachment] | None = None
    headers: dict[Annotated[str, AfterValidator(header_name)], Annotated[str, AfterValidator(header_value)]] | None = (
        None
    )


class EmailRequest(Model):
    """POST /Emails."""

    from_: Annotated[
        Annotated[EmailSender, tag("address")] | Annotated[SenderId, tag("senderId")],
        by_field("address", address="address", senderId="senderId"),
        Field(alias="from"),
    ]
    to: Annotated[
        list[
            Annotated[
                Annotated[EmailRecipient, tag("address")] | Annotated[Profile, tag("profile")],
                by_field("address", profileId="profile", memoryStoreId="profile"),
            ]
        ],
        Field(min_length=1, max_length=MAX_RECIPIENTS),
    ]
    content: EmailContent
    tags: Tags | None = None
    schedule: Schedule | None = None
    ip_pool_name: Annotated[str, Field(min_length=2, max_length=64)] | None = None


# -- Messages ------------------------------------------------------------------------------------------------------

Channel = Literal["PHONE", "WHATSAPP"]
SenderChannel = Literal["SMS", "RCS", "WHATSAPP"]


class MessageAddress(Model):
    """One address of a recipient."""

    address: Annotated[str, AfterValidator(message_address)]
    channel: Channel


class MessageRecipient(MessageAddress):
    """A recipient with one address."""

    variables: Variables | None = None


class ConnectedRecipient(Model):
    """A recipient with several addresses, of which Twilio picks."""

    addresses: Annotated[list[MessageAddress], Field(min_length=1, max_length=10)]
    variables: Variables | None = None


class MessageSender(Model):
    """Who a message is from."""

    address: Text
    channel: SenderChannel


class ChannelPriority(Model):
    """A channel's turn; the lowest number goes first."""

    channel: SenderChannel
    priority: int


class ChannelControl(Model):
    """Which channels of a pool are used, and in which order."""

    filter_in: Annotated[list[SenderChannel], AfterValidator(each_once)] | None = None
    priority: list[ChannelPriority] | None = None


class SenderPool(Model):
    """Senders of which Twilio picks."""

    sender_pool_id: identifier("comms_senderpool")  # type: ignore[valid-type]
    channels: ChannelControl | None = None


class Media(Model):
    """A file that Twilio fetches."""

    url: Text


class TextContent(NotEmpty):
    """Text, media or both, on every channel."""

    text: Annotated[str, Field(min_length=1), AfterValidator(sms_text)] | None = None
    media: list[Media] | None = None


class TemplateContent(Model):
    """Content that is set up at Twilio."""

    content_id: Annotated[str, Field(pattern=r"^HX[a-zA-Z0-9]{26,34}$")]


class SmsModule(Model):
    """What an SMS or MMS says."""

    sms: TextContent


class RcsModule(Model):
    """What an RCS message says."""

    rcs: RcsContent


class ModulesContent(Model):
    """Content for each channel."""

    modules: Annotated[
        list[
            Annotated[
                Annotated[SmsModule, tag("sms")] | Annotated[RcsModule, tag("rcs")],
                by_field("sms", sms="sms", rcs="rcs"),
            ]
        ],
        Field(min_length=1, max_length=4),
    ]


class MessageRequest(Model):
    """POST /Messages."""

    to: Annotated[
        list[
            Annotated[
                Annotated[MessageRecipient, tag("address")]
                | Annotated[ConnectedRecipient, tag("addresses")]
                | Annotated[Profile, tag("profile")],
                by_field(
                    "address",
                    address="address",
                    addresses="addresses",
                    profileId="profile",
                    memoryStoreId="profile",
                ),
            ]
        ],
        Field(min_length=1, max_length=MAX_RECIPIENTS),
    ]
    content: Annotated[
        Annotated[TextContent, tag("text")]
        | Annotated[TemplateContent, tag("contentId")]
        | Annotated[ModulesContent, tag("modules")],
        by_field("text", contentId="contentId", modules="modules"),
    ]
    from_: (
        Annotated[
            Annotated[MessageSender, tag("address")]
            | Annotated[SenderId, tag("senderId")]
            | Annotated[SenderPool, tag("senderPoolId")],
            by_field("address", address="address", senderId="senderId", senderPoolId="senderPoolId"),
        ]
        | None
    ) = Field(None, alias="from")
    tags: Tags | None = None
    schedule: Schedule | None = None

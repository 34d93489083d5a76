"""What is sent: one e-mail or message to many recipients, checked whole when it is made, never changed after."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow_provider_comms.comms.arguments import suggests_keywords
from airflow_provider_comms.comms.errors import ApiError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.sending.liquid import liquid_warnings
from airflow_provider_comms.comms.sending.problems import checked, refusal
from airflow_provider_comms.comms.sending.schedule import schedule_of, schedule_warnings
from airflow_provider_comms.comms.sending.schema import TAGS, EmailRequest, MessageRequest
from airflow_provider_comms.comms.sending.scrubber import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from airflow_provider_comms.comms.sending.model import Model

    Recipient = str | Mapping[str, object]

MAX_BYTES = 5_000_000
"""Bytes of JSON in one request. Twilio says 5 MB; this is the smaller of the two sizes that this may mean."""


class Send:
    """
    A request that sends something. It is checked, immutable, and shows nothing of its content.

    Made as :class:`EmailSend` or :class:`MessageSend`.
    """

    resource: ClassVar[Resource]
    """What it sends."""
    _model: ClassVar[type[Model]]

    def __init__(self, fields: dict[str, object]) -> None:
        plain = _plain(fields)
        checked(lambda: self._model.model_validate(plain), self.resource)
        # Not what pydantic would make of the model: it warns of the branches of a union, and quotes recipients.
        self._fields: dict[str, Any] = plain
        self._body = self._encoded()

    def _encoded(self) -> bytes:
        body = json.dumps(self._fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        if len(body) > MAX_BYTES:
            said = f"the request has {len(body):,} bytes of JSON, and Twilio takes {MAX_BYTES:,}"
            raise refusal(self.resource, ApiError(None, said))
        return body

    @property
    def to(self) -> Sequence[Mapping[str, object]]:
        """The recipients, as the API's JSON has them."""
        recipients: list[dict[str, object]] = self._fields["to"]
        return recipients

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags."""
        tags: dict[str, str] = self._fields.get("tags", {})
        return tags

    def body(self) -> bytes:
        """Return the JSON exactly as it is posted. Equal requests have equal bytes."""
        return self._body

    def with_tags(self, tags: Mapping[str, str]) -> Self:
        """
        Return the same request with these tags in place of its own; the rest is not checked again.

        :param tags: name to value, 10 at most.
        :raises CommsArgumentError: a tag cannot be sent, or the request has become too long.
        """
        found = checked(lambda: TAGS.validate_python(_plain(tags)), self.resource, "tags")
        other = copy(self)
        other._fields = self._fields | {"tags": found}
        other._body = other._encoded()  # noqa: SLF001
        return other

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed, and may not be what was meant: texts for a log, without a recipient."""
        return (*schedule_warnings(self._fields.get("schedule")), *liquid_warnings(self._fields["content"]))

    @cached_property
    def scrub(self) -> Scrubber:
        """Takes what this request says of people out of a text of the API's."""
        return Scrubber(self.to)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.to)} recipients, {len(self.tags)} tags, {len(self._body)} bytes)"


class EmailSend(Send):
    """
    One e-mail to up to 10,000 recipients, each of whom gets an e-mail of their own.

    :param from_: the sender: `{"address": ..., "name": ...}`, both in ASCII, or `{"senderId": ...}`.
    :param to: recipients: addresses, or mappings `{"address", "name", "variables"}` or `{"profileId", "memoryStoreId",
        "variables"}`. `variables` are texts by name, for the Liquid in the content.
    :param subject: subject; Liquid.
    :param html: body as HTML; Liquid.
    :param text: body as plain text; Liquid. If omitted, Twilio makes it from the HTML.
    :param attachments: files: mappings `{"filename", "contentType", "content", "cid"}`, the content as bytes or base64.
    :param headers: additional headers, by name, such as `List-Unsubscribe`; Liquid.
    :param ip_pool_name: pool of dedicated IP addresses.
    :param tags: up to 10, name to value; letters, digits and `._~-` only.
    :param send_at: when to send it: an aware datetime or ISO 8601 string with an offset, 30 days ahead at most.
    :raises CommsArgumentError: it cannot be sent. The message names the field and the recipient's number, from 1, and
        holds no value; `context.errors` has all that is wrong.

    The whole request may have 5,000,000 bytes of JSON, attachments included.
    Source: Twilio's OpenAPI file, POST /Emails.
    """

    resource = Resource.EMAILS
    _model = EmailRequest

    @suggests_keywords
    def __init__(
        self,
        *,
        from_: Mapping[str, str],
        to: Iterable[Recipient],
        subject: str,
        html: str,
        text: str | None = None,
        attachments: Iterable[Mapping[str, object]] | None = None,
        headers: Mapping[str, str] | None = None,
        ip_pool_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        send_at: datetime | str | None = None,
    ) -> None:
        content = {
            "subject": subject,
            "html": html,
            "text": text,
            "attachments": _each(attachments, _attachment),
            "headers": headers,
        }
        super().__init__(
            {
                "from": from_,
                "to": _each(to, _recipient),
                "content": content,
                "ipPoolName": ip_pool_name,
                "tags": tags,
                "schedule": schedule_of(send_at, self.resource),
            }
        )


class MessageSend(Send):
    """
    One message (SMS, MMS, RCS, WhatsApp) to up to 10,000 recipients.

    Its content is of exactly one kind: text and media, `content_id`, or `modules`.

    :param to: recipients: telephone numbers, or mappings `{"address", "channel", "variables"}`, `{"addresses": [...],
        "variables"}` or `{"profileId", "memoryStoreId", "variables"}`. The channel is "PHONE" (SMS, MMS, RCS), which a
        bare number gets, or "WHATSAPP". `variables` are texts by name, for the Liquid in the content.
    :param text: text; Liquid. 1,600 characters at most.
    :param media: files to send: URLs, or mappings `{"url": ...}`; Liquid.
    :param content_id: id of content that is set up at Twilio, HX...
    :param modules: 1 to 4 mappings, each `{"sms": ...}` or `{"rcs": ...}`: what to send on which channel.
    :param from_: the sender: `{"address": ..., "channel": "SMS" | "RCS" | "WHATSAPP"}`, `{"senderId": ...}`, or
        `{"senderPoolId": ..., "channels": {"filterIn": [...], "priority": [...]}}`. Twilio chooses if it is left out.
    :param tags: up to 10, name to value; letters, digits and `._~-` only.
    :param send_at: when to send it: an aware datetime or ISO 8601 string with an offset, 30 days ahead at most.
    :raises CommsArgumentError: it cannot be sent. The message names the field and the recipient's number, from 1, and
        holds no value; `context.errors` has all that is wrong.

    Source: Twilio's OpenAPI file, POST /Messages.
    """

    resource = Resource.MESSAGES
    _model = MessageRequest

    @suggests_keywords
    def __init__(
        self,
        *,
        to: Iterable[Recipient],
        text: str | None = None,
        media: Iterable[str | Mapping[str, str]] | None = None,
        content_id: str | None = None,
        modules: Iterable[Mapping[str, object]] | None = None,
        from_: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        send_at: datetime | str | None = None,
    ) -> None:
        super().__init__(
            {
                "from": from_,
                "to": _each(to, partial(_recipient, channel="PHONE")),
                "content": _message_content(text, media, content_id, _each(modules, _plain)),
                "tags": tags,
                "schedule": schedule_of(send_at, self.resource),
            }
        )


def _each(values: object, convert: Callable[[object], object]) -> object:
    """Return the values converted; what is no list of values stays as it is, to be refused by name."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        return values
    return [convert(one) for one in values]


def _recipient(value: object, **defaults: str) -> object:
    return {"address": value, **defaults} if isinstance(value, str) else value


def _media(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


def _attachment(value: object) -> object:
    if isinstance(value, Mapping) and isinstance(content := value.get("content"), bytes):
        return {**value, "content": b64encode(content).decode()}
    return value


def _message_content(text: object, media: object, content_id: object, modules: object) -> dict[str, object]:
    files = _each(media, _media)
    kinds = ({"text": text, "media": None if files == [] else files}, {"contentId": content_id}, {"modules": modules})
    given: list[dict[str, object]] = [kind for kind in map(_plain, kinds) if kind]
    if len(given) != 1:
        said = "exactly one kind of content is needed: text and media, content_id, or modules"
        raise refusal(Resource.MESSAGES, ApiError(None, f"{said}; this has {len(given) or 'none'}"))
    return given[0]


def _plain(value: Any) -> Any:
    """Return a copy of dicts and lists, as JSON has them; what is None is left out of mappings."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value

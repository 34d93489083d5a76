"""The operators that send: e-mails and messages, each request once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.operators.send_base import SendOperator
from airflow_provider_comms.tasks.send_arguments import check_body, check_email_sender, check_one_content
from airflow_provider_comms.tasks.unshown import Unshown, given, holds_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow.providers.common.compat.sdk import XComArg

    from airflow_provider_comms.comms.sending.requests import Send
    from airflow_provider_comms.operators.send_base import File, Recipients, Text


class CommsSendEmailsOperator(SendOperator):
    """
    Send one e-mail to many recipients, without sending twice. Each recipient gets an e-mail of their own.

    The content is a template in Liquid, Twilio's own language, which Airflow does not render:
    `{{ first_name | default: "there" }}` inserts the recipient's variable. Use `variables` for what is common to all.

    :param from_: the sender, `{"address": ..., "name": ...}`, both in ASCII, or `{"senderId": ...}` (templated).
    :param subject: subject; Liquid. Like `html` and `text` it may be the XCom of a task, or a path to a file.
    :param html: body as HTML; Liquid.
    :param text: body as plain text; Liquid. If omitted, Twilio makes it from the HTML.
    :param attachments: one file or several: paths, or mappings
        `{"path" or "content": bytes, "filename", "content_type", "cid"}` (templated). The whole request may be at most
        5 MB.
    :param headers: additional headers, such as `List-Unsubscribe`; Liquid.
    :param ip_pool_name: name of a pool of dedicated IP addresses.

    The other parameters, the result and the errors are those of both send operators: see docs/sending.md.
    """

    resource = Resource.EMAILS
    template_fields: Sequence[str] = (
        *SendOperator.template_fields,
        "subject",
        "html",
        "text",
        "attachments",
        "headers",
    )

    subject = Unshown()
    html = Unshown()
    text = Unshown()
    attachments = Unshown(holds_template)
    headers = Unshown()

    def __init__(
        self,
        *,
        from_: Mapping[str, str] | XComArg,
        to: Recipients,
        subject: Text,
        html: Text,
        text: Text | None = None,
        attachments: str | File | Mapping[str, object] | Iterable[object] | XComArg | None = None,
        headers: Mapping[str, str] | None = None,
        ip_pool_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(to=to, **kwargs)
        self.from_ = from_
        self.subject = subject
        self.html = html
        self.text = text
        self.attachments = attachments
        self.headers = headers
        self.ip_pool_name = ip_pool_name
        check_email_sender(from_)
        check_body("html", given(self, "html"))
        check_body("text", given(self, "text"))

    def _build(self) -> Callable[..., Send]:
        from airflow_provider_comms.comms.sending.requests import EmailSend
        from airflow_provider_comms.tasks.send_files import attachments_of, line_of, text_of

        check_email_sender(self.from_)
        return partial(
            EmailSend,
            from_=self._given("from_"),
            subject=line_of(self._given("subject")),
            **{name: text_of(self._given(name)) for name in ("html", "text")},
            attachments=attachments_of(self._given("attachments")),
            headers=self._given("headers"),
            ip_pool_name=self.ip_pool_name,
            tags=self.tags,
            send_at=self.send_at or None,
        )


class CommsSendMessagesOperator(SendOperator):
    """
    Send one message (SMS, MMS, RCS, WhatsApp) to many recipients, without sending twice.

    Give exactly one kind of content: text and media, `content_id`, or `modules`. It is a template in Liquid, Twilio's
    own language, which Airflow does not render. Use `variables` for what is common to all recipients.

    :param text: text; Liquid. It may be the XCom of a task, or a path to a file.
    :param media: URLs of files to send; Liquid.
    :param content_id: id of content that is set up at Twilio, `HX...` (templated).
    :param modules: 1 to 4 mappings, each `{"sms": ...}` or `{"rcs": ...}`: what to send on which channel.
    :param from_: the sender: `{"address": ..., "channel": "SMS" | "RCS" | "WHATSAPP"}`, `{"senderId": ...}` or
        `{"senderPoolId": ..., "channels": ...}`; if omitted, Twilio chooses (templated).

    The other parameters, the result and the errors are those of both send operators: see docs/sending.md.
    """

    resource = Resource.MESSAGES
    template_fields: Sequence[str] = (*SendOperator.template_fields, "text", "media", "content_id", "modules")

    text = Unshown()
    media = Unshown()
    modules = Unshown()

    def __init__(
        self,
        *,
        to: Recipients,
        text: Text | None = None,
        media: Iterable[str | Mapping[str, str]] | XComArg | None = None,
        content_id: str | None = None,
        modules: Iterable[Mapping[str, object]] | XComArg | None = None,
        from_: Mapping[str, object] | XComArg | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(to=to, **kwargs)
        self.text = text
        self.media = media
        self.content_id = content_id
        self.modules = modules
        self.from_ = from_
        check_one_content({"text": text, "media": media, "content_id": content_id, "modules": modules})
        check_body("text", given(self, "text"))

    def _build(self) -> Callable[..., Send]:
        from airflow_provider_comms.comms.sending.requests import MessageSend
        from airflow_provider_comms.tasks.send_files import text_of

        content = {
            "text": text_of(self._given("text")),
            **{name: self._given(name) for name in ("media", "content_id", "modules")},
        }
        check_one_content(content)
        return partial(MessageSend, **content, from_=self._given("from_"), tags=self.tags, send_at=self.send_at or None)

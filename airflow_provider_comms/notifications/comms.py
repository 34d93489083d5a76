"""The notifier: an e-mail or message to a few people, from a callback or a deadline alert."""

from __future__ import annotations

import asyncio
import html as html_module
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from airflow.providers.common.compat.notifier import BaseNotifier

from airflow_provider_comms.comms.arguments import check_resource
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.sending.checks import MAX_SMS_TEXT
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.tasks.arguments import is_literal
from airflow_provider_comms.tasks.send_arguments import check_email_sender

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import jinja2
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
    from airflow_provider_comms.comms.sending.requests import EmailSend, MessageSend
    from airflow_provider_comms.comms.settings import ClientSettings

Client = TypeVar("Client", "CommsClient", "AsyncCommsClient")

MAX_ATTEMPT, MAX_CALL = 20.0, 30.0
"""Seconds for one request, and for all of its repetitions."""
MAX_PEOPLE = 100
"""More are not a few; they are for an operator, which sends once."""


class CommsNotifier(BaseNotifier):
    """
    Send an e-mail or message to a few people, as the callback of a task, a DAG or a deadline.

    Airflow renders its texts as Jinja with the callback's context, such as `{{ ti.task_id }}`. The result is sent as
    is, without Twilio's Liquid. It sends one request each time Airflow calls it, and does not repeat one that may
    have been accepted.

    :param resource: "emails" or "messages" (templated).
    :param to: one address, several separated by commas, or a list; at most 100 (templated).
    :param subject: subject of an e-mail (templated); line breaks become blanks.
    :param text: text of a message, at most 1,600 characters, or of an e-mail as plain text (templated). A longer
        message is cut.
    :param html: HTML of an e-mail (templated); made from `text` if omitted.
    :param from_: the sender, as for the send operators; for an e-mail `{"address": ..., "name": ...}` (templated).
    :param tags: name to value (templated).
    :param comms_conn_id: id of the Airflow connection, of type `twilio_comms` (templated).
    :raises CommsArgumentError: an argument is invalid.
    :raises CommsError: it was not sent, or that is not known; Airflow 2.11 and 3.0 log the error and continue.
    """

    template_fields: Sequence[str] = ("resource", "to", "subject", "text", "html", "from_", "tags", "comms_conn_id")

    def __init__(
        self,
        *,
        resource: str,
        to: str | Sequence[str] | Mapping[str, object],
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        from_: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        comms_conn_id: str = DEFAULT_CONN_ID,
        **kwargs: Any,
    ) -> None:
        self._templates = {
            "resource": resource,
            "to": to,
            "subject": subject,
            "text": text,
            "html": html,
            "from_": from_,
            "tags": tags,
            "comms_conn_id": comms_conn_id,
        }
        vars(self).update(self._templates)
        _check_complete(self._templates)
        # From Airflow 3.1 on it may be given a context.
        super().__init__(**kwargs)

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render from the templates, at each call: Airflow renders in place, and what was rendered once is data."""
        vars(self).update(self._templates)
        cast("dict[str, Any]", context).setdefault("dag", None)  # Airflow before 3.1 does not do without.
        super().render_template_fields(context, jinja_env)

    def notify(self, context: Context) -> None:  # noqa: ARG002
        """Send, blocking."""
        from airflow_provider_comms.hooks.comms import CommsHook

        request: Any = self._request()
        hook = CommsHook(self.comms_conn_id)
        with hook.get_conn() as patient:
            client = _hurried(patient, hook.settings)
            (client.send_emails if request.resource is Resource.EMAILS else client.send_messages)(request)

    async def async_notify(self, context: Context) -> None:  # noqa: ARG002
        """Send without blocking the event loop: in the triggerer, for a deadline alert."""
        from airflow_provider_comms.hooks.comms import CommsHook

        # Beside the loop: it loads pydantic's models.
        request: Any = await asyncio.to_thread(self._request)
        async with await CommsHook(self.comms_conn_id).get_async_conn() as patient:
            client = _hurried(patient, patient.settings)
            await (client.send_emails if request.resource is Resource.EMAILS else client.send_messages)(request)

    comms_conn_id: str

    def _request(self) -> EmailSend | MessageSend:
        from airflow_provider_comms.comms.sending.requests import EmailSend, MessageSend

        given = {name: getattr(self, name) for name in self._templates}
        given |= {name: _encodable(given[name]) for name in ("subject", "text", "html")}
        people = _people(given["to"])
        plain = {name: _without_liquid(given[name]) for name in ("subject", "text")}
        if check_resource(given["resource"]) is Resource.MESSAGES:
            return MessageSend(to=people, text=_cut(plain["text"]), from_=given["from_"], tags=given["tags"])
        check_email_sender(given["from_"])
        return EmailSend(
            from_=given["from_"],
            to=people,
            subject=" ".join((plain["subject"] or "").split()),
            html=_html_without_liquid(given["html"] or _as_html(given["text"])),
            text=plain["text"],
            tags=given["tags"],
        )


def _hurried(client: Client, settings: ClientSettings) -> Client:
    """Return a client for a callback: whoever waits for it, a worker or the DAG processor, has other work."""
    return client.with_options(
        timeouts=settings.timeouts.at_most(attempt=MAX_ATTEMPT, call=MAX_CALL),
        retry=replace(settings.retry, retry_after_cap=min(settings.retry.retry_after_cap, MAX_CALL)),
    )


def _check_complete(given: Mapping[str, object]) -> None:
    """Refuse at parsing what lacks a part: a callback runs when something has failed already, and must not fail too."""
    if not is_literal(given["resource"]):
        return
    parts = ["text"]
    if check_resource(given["resource"]) is Resource.EMAILS:
        check_email_sender(given["from_"])
        parts = ["subject", "text" if given["html"] is None else "html"]
    if missing := [name for name in parts if given[name] is None]:
        raise CommsArgumentError(
            f"The notifier has no {' and no '.join(missing)}.",
            advice="An e-mail has from_, subject, and text or html; a message has text.",
        )


def _people(to: object) -> list[Any]:
    several = to.split(",") if isinstance(to, str) else list(to) if isinstance(to, (list, tuple, set)) else [to]
    people: list[object] = list(dict.fromkeys(one.strip() for one in several if isinstance(one, str) and one.strip()))
    people += [one for one in several if not isinstance(one, str)]
    if 0 < len(people) <= MAX_PEOPLE:
        return people
    raise CommsArgumentError(
        f"to= names {len(people):,} people.", advice=f"A notifier sends to 1 to {MAX_PEOPLE}; use a send operator."
    )


def _encodable(rendered: object) -> str | None:
    """
    Return what was rendered as a text that can be sent.

    A native template may give a number; and Python puts halves of surrogate pairs into names of files, which errors
    quote.
    """
    return None if rendered is None else str(rendered).encode("utf-8", "replace").decode()


def _cut(text: str | None) -> str | None:
    """Return what fits into a message: an exception's message may have any length."""
    return text if text is None or len(text) <= MAX_SMS_TEXT else f"{text[: MAX_SMS_TEXT - 3]}..."


def _as_html(text: str | None) -> str:
    return f"<pre>{html_module.escape(text)}</pre>" if text else ""


def _without_liquid(text: str | None) -> str | None:
    """Return a text in which Twilio finds no template: an exception's message may hold anything."""
    return text and re.sub(r"\{(?=[{%])", "{ ", text)


def _html_without_liquid(text: str) -> str:
    return re.sub(r"\{(?=[{%])", "&#123;", text)

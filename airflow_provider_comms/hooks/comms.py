"""The hook: an Airflow connection, and the Comms API behind it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_comms.comms.arguments import suggests_keywords
from airflow_provider_comms.comms.resource import DEFAULT_PAGE_SIZE
from airflow_provider_comms.hooks.connection import advice_if_missing, aread_connection, settings_of
from airflow_provider_comms.hooks.fields import CONN_NAME, CONN_TYPE, DEFAULT_CONN_ID, ui_field_behaviour

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from airflow.providers.common.compat.sdk import Connection

    from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.sending.requests import Recipient
    from airflow_provider_comms.comms.sending.results import Accepted, Sighting
    from airflow_provider_comms.comms.settings import ClientSettings


class CommsHook(BaseHook):
    """
    Sends with Twilio's Comms API, and reads its operations, over an Airflow connection.

    :param comms_conn_id: id of a connection of the type `twilio_comms`.
    """

    conn_name_attr = "comms_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = CONN_TYPE
    hook_name = CONN_NAME

    def __init__(self, comms_conn_id: str = DEFAULT_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.comms_conn_id = comms_conn_id

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, object]:
        """Return the connection form's extra fields; Airflow 3.2 and later read the provider's metadata instead."""
        from airflow_provider_comms.hooks.form import form_widgets

        return form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, object]:
        """Return labels and placeholders of Airflow's own fields; Airflow 3.2 and later read the metadata instead."""
        return ui_field_behaviour(separator="_")

    @cached_property
    def settings(self) -> ClientSettings:
        """
        The client's settings, read from the connection once.

        :raises AirflowNotFoundException: there is no such connection; the message says how to add it.
        :raises CommsSettingsError: a field of the connection is invalid.
        """
        with advice_if_missing(self.comms_conn_id):
            connection = self.get_connection(self.comms_conn_id)
        return self._settings(connection)

    def _settings(self, connection: Connection) -> ClientSettings:
        from airflow_provider_comms.metrics import count_request

        settings = replace(settings_of(connection), observer=count_request)
        if not settings.verify:
            self.log.warning(
                "TLS verification is OFF for %s: anyone between here and %s can read its credentials.",
                settings.name,
                settings.base_url,
            )
        return settings

    @cached_property
    def _client(self) -> CommsClient:
        # A DAG file that imports this hook must not load an HTTP client.
        from airflow_provider_comms.comms.client import CommsClient

        return CommsClient(self.settings)

    def get_conn(self) -> CommsClient:
        """Return the blocking client; the same at every call."""
        return self._client

    async def get_async_conn(self) -> AsyncCommsClient:
        """Return a client of the running event loop; a new one at every call, for the caller to close."""
        return await open_client(await self.aget_settings())

    async def aget_settings(self) -> ClientSettings:
        """
        Read the connection, again at every call, without blocking the event loop.

        :raises CommsSettingsError: a field of the connection is invalid.
        """
        return self._settings(await aread_connection(self.comms_conn_id))

    def get_operation(self, resource: str, operation_id: str) -> Operation:
        """
        Fetch one operation.

        :param resource: "emails" or "messages".
        :param operation_id: id of the operation.
        :raises CommsError: see the tree in `comms.errors`.
        """
        return self._client.get_operation(resource, operation_id)

    @suggests_keywords
    def list_operations(
        self,
        resource: str,
        *,
        start_date: datetime | str | None = None,
        end_date: datetime | str | None = None,
        status: str | None = None,
        page_size: int = DEFAULT_PAGE_SIZE,
        limit: int | None = None,
        parallel: int = 1,
        strict: bool = False,
    ) -> Iterator[Operation]:
        """
        List operations over all pages, each of them once.

        :param resource: "emails" or "messages".
        :param start_date: operations created at or after this time; an aware datetime, in any zone, or an ISO 8601
            text with an offset.
        :param end_date: operations created before this time; likewise.
        :param status: operations in this status; one of `OperationStatus`.
        :param page_size: operations per request, 1 to 1000.
        :param limit: stop after this many operations.
        :param parallel: slices of the window that are listed at the same time, 1 to 32. With 1 the order is the
            API's, which Twilio does not promise; with more there is none.
        :param strict: raise what would be a warning: records that could not be read (`CommsRecordError`, at the end,
            when the others have been handed out) and a window that begins before Twilio's retention of 7 days.
        :raises CommsArgumentError: an argument is invalid or unknown; raised at the call, before any
            request.
        :raises CommsError: see the tree in `comms.errors`; raised while iterating.
        """
        return self._client.list_operations(
            resource,
            start_date=start_date,
            end_date=end_date,
            status=status,
            page_size=page_size,
            limit=limit,
            parallel=parallel,
            strict=strict,
        )

    @suggests_keywords
    def send_emails(
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
    ) -> Accepted:
        """
        Send one e-mail to up to 10,000 recipients, each of whom gets an e-mail of their own.

        The request is repeated only where that cannot send twice: if no byte of it was written, or after a 429. It does
        not know what an earlier try of the task has sent: that is what `CommsSendEmailsOperator` is for.

        :param from_: the sender: `{"address": ..., "name": ...}`, both in ASCII, or `{"senderId": ...}`.
        :param to: recipients: addresses, or mappings `{"address", "name", "variables"}` or `{"profileId",
            "memoryStoreId", "variables"}`. `variables` are texts by name, for the Liquid in the content.
        :param subject: subject; Liquid.
        :param html: body as HTML; Liquid.
        :param text: body as plain text; Liquid. If omitted, Twilio makes it from the HTML.
        :param attachments: files: mappings `{"filename", "contentType", "content", "cid"}`, the content as bytes or
            base64.
        :param headers: additional headers, by name, such as `List-Unsubscribe`; Liquid.
        :param ip_pool_name: pool of dedicated IP addresses.
        :param tags: up to 10, name to value; letters, digits and `._~-` only.
        :param send_at: when to send it: an aware datetime or ISO 8601 string with an offset, 30 days ahead at most.
        :return: that it was accepted; `operation_id` is None if the response did not contain it.
        :raises CommsArgumentError: it cannot be sent; the message names the field and the recipient's number.
        :raises CommsError: see the tree in `comms.errors`; `context.sent` False means that nothing was sent.
        """
        from airflow_provider_comms.comms.sending.requests import EmailSend

        return self._client.send_emails(
            EmailSend(
                from_=from_,
                to=to,
                subject=subject,
                html=html,
                text=text,
                attachments=attachments,
                headers=headers,
                ip_pool_name=ip_pool_name,
                tags=tags,
                send_at=send_at,
            )
        )

    @suggests_keywords
    def send_messages(
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
    ) -> Accepted:
        """
        Send one message (SMS, MMS, RCS, WhatsApp) to up to 10,000 recipients.

        Its content is of exactly one kind: text and media, `content_id`, or `modules`. It is repeated as little as
        :meth:`send_emails` says.

        :param to: recipients: telephone numbers, or mappings `{"address", "channel", "variables"}`, `{"addresses":
            [...], "variables"}` or `{"profileId", "memoryStoreId", "variables"}`. The channel is "PHONE" (SMS, MMS,
            RCS), which a bare number gets, or "WHATSAPP".
        :param text: text; Liquid. 1,600 characters at most.
        :param media: files to send: URLs, or mappings `{"url": ...}`; Liquid.
        :param content_id: id of content that is set up at Twilio, HX...
        :param modules: 1 to 4 mappings, each `{"sms": ...}` or `{"rcs": ...}`: what to send on which channel.
        :param from_: the sender: `{"address": ..., "channel": "SMS" | "RCS" | "WHATSAPP"}`, `{"senderId": ...}`, or
            `{"senderPoolId": ..., "channels": {"filterIn": [...], "priority": [...]}}`. Twilio chooses if it is left
            out.
        :param tags: up to 10, name to value; letters, digits and `._~-` only.
        :param send_at: when to send it: an aware datetime or ISO 8601 string with an offset, 30 days ahead at most.
        :return: that it was accepted; `operation_id` is None if the response did not contain it.
        :raises CommsArgumentError: it cannot be sent; the message names the field and the recipient's number.
        :raises CommsError: see the tree in `comms.errors`; `context.sent` False means that nothing was sent.
        """
        from airflow_provider_comms.comms.sending.requests import MessageSend

        return self._client.send_messages(
            MessageSend(
                to=to,
                text=text,
                media=media,
                content_id=content_id,
                modules=modules,
                from_=from_,
                tags=tags,
                send_at=send_at,
            )
        )

    def find_sends(self, resource: str, tag: str, since: datetime | str | None = None) -> Sighting:
        """
        Look whether something with a tag was accepted, after a send of unknown outcome.

        :param resource: "emails" or "messages".
        :param tag: name and value of one of its tags, as "name:value".
        :param since: look for what was created at or after this time; an aware datetime, in any zone, or an ISO 8601
            text with an offset. None looks as far back as Twilio keeps records, 7 days.
        :return: whether it was found. That it was not found proves nothing for the last few minutes: lists lag.
            If the look-up fails, the result says so; it is not raised.
        :raises CommsArgumentError: an argument is invalid.
        """
        return self._client.find_sends(resource, tag, since)

    def test_connection(self) -> tuple[bool, str]:
        """
        Test the connection: what the Test button calls.

        Requests one page of each resource, without retries, which takes less than 10 s. Nothing is raised.

        :return: whether it works, and what was found; on failure the cause and what to do. Never a secret.
        """
        from airflow_provider_comms.hooks.check import check_connection

        return check_connection(lambda: self.settings)


async def open_client(settings: ClientSettings) -> AsyncCommsClient:
    """Make a client of the running event loop. Its import is done beside the loop, which it would hold for 100 ms."""
    client = await asyncio.to_thread(import_module, "airflow_provider_comms.comms.client")
    return cast("AsyncCommsClient", client.AsyncCommsClient(settings))

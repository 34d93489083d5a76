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
    from collections.abc import Iterator
    from datetime import datetime

    from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.settings import ClientSettings


class CommsHook(BaseHook):
    """
    Reads operations of Twilio's Comms API over an Airflow connection.

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
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the connection form's extra fields; Airflow 3.2 and later read the provider's metadata instead."""
        from airflow_provider_comms.hooks.form import form_widgets

        return form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels and placeholders of Airflow's own fields; Airflow 3.2 and later read the metadata instead."""
        return ui_field_behaviour(separator="_")

    @cached_property
    def settings(self) -> ClientSettings:
        """
        The client's settings, read from the connection once.

        :raises AirflowNotFoundException: there is no such connection; the message says how to add it.
        :raises CommsSettingsError: a field of the connection cannot be right.
        """
        with advice_if_missing(self.comms_conn_id):
            connection = self.get_connection(self.comms_conn_id)
        return self._settings(connection)

    def _settings(self, connection: Any) -> ClientSettings:
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

        :raises CommsSettingsError: a field of the connection cannot be right.
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
        :param limit: stop after so many operations.
        :param parallel: slices of the window that are listed at the same time, 1 to 32. With 1 the order is the
            API's, which Twilio does not promise; with more there is none.
        :param strict: raise what would be a warning: records that could not be read (`CommsRecordError`, at the end,
            when the others have been handed out) and a window that begins before Twilio's retention of 7 days.
        :raises CommsArgumentError: an argument cannot be right or is not known; raised at the call, before any
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

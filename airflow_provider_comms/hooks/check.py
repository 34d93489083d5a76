"""Trying a connection: one cheap request per resource, and a sentence about what was found."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

SECONDS_PER_REQUEST = 4.0


def check_connection(read_settings: Callable[[], ClientSettings]) -> tuple[bool, str]:
    """
    Try to read one operation of each resource.

    :param read_settings: reads the connection; what it raises becomes the message.
    :return: whether at least one resource can be read, and what was found.
    """
    from airflow_provider_comms.comms.client import CommsClient

    try:
        settings = _hasty(read_settings())
    except (CommsError, AirflowException) as error:
        return False, str(error)
    started = monotonic()
    with CommsClient(settings) as client:
        found = {resource: _failure(client, resource) for resource in Resource}
    return _sentence(settings, found, monotonic() - started)


def _hasty(settings: ClientSettings) -> ClientSettings:
    patience = replace(
        settings.patience,
        attempts=1,
        attempt_timeout=min(settings.patience.attempt_timeout, SECONDS_PER_REQUEST),
        call_timeout=min(settings.patience.call_timeout, SECONDS_PER_REQUEST),
    )
    return replace(settings, patience=patience)


def _failure(client: CommsClient, resource: Resource) -> CommsError | None:
    try:
        next(client.list_operations(resource, page_size=1, limit=1), None)
    except CommsError as error:
        return error
    return None


def _sentence(settings: ClientSettings, found: dict[Resource, CommsError | None], seconds: float) -> tuple[bool, str]:
    readable = [resource.value for resource, failure in found.items() if failure is None]
    failures = [failure for failure in found.values() if failure is not None]
    if not readable:
        return False, str(failures[0])
    who = f"{settings.username[:2]}…{settings.username[-4:]}"
    what = f"{who} reads the operations of {' and '.join(readable)} at {settings.base_url}, {seconds:.1f} s"
    return True, f"{what}. But: {failures[0]}" if failures else what

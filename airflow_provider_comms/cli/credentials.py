"""
Which credentials a command uses: an Airflow connection, or Twilio's usual environment variables.

The one that `--conn-id` names. Without it, `airflow comms` takes the default connection and falls back to the
variables; `python -m airflow_provider_comms` takes the variables, without loading Airflow, and falls back to the
default connection. The settings' name says which it was.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow_provider_comms.cli.exits import say
from airflow_provider_comms.cli.startup import silence_startup_output
from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.comms.settings import DEFAULT_BASE_URL, DEFAULT_USER_AGENT, ClientSettings
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

PAIRS = (
    ("TWILIO_API_KEY", ("TWILIO_API_KEY_SECRET", "TWILIO_API_SECRET")),
    ("TWILIO_ACCOUNT_SID", ("TWILIO_AUTH_TOKEN",)),
)
"""User name, and the variables that may hold its password. A key goes first: the account's SID is often set, too."""
BASE_URL = "COMMS_BASE_URL"


class ConnectionNotDefinedError(CommsSettingsError):
    """There is no such Airflow connection."""

    default_advice = "Name another connection with --conn-id, or set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."


def announced_settings(arguments: Namespace) -> ClientSettings:
    """Return the settings of a command, and say where they come from, unless the command line names it."""
    settings = settings_for(arguments.conn_id, connection_first=arguments.connection_first)
    if arguments.conn_id is None:
        say(f"Using {settings.name}.")
    return settings


def settings_for(
    conn_id: str | None, *, connection_first: bool = False, environment: Mapping[str, str] = os.environ
) -> ClientSettings:
    """
    Return the settings of a connection, or of the environment variables.

    :param conn_id: id of an Airflow connection, which is then used whatever else there is.
    :param connection_first: without `conn_id`, prefer the default connection to the variables.
    :raises CommsSettingsError: there is no such connection, or it is invalid.
    """
    if conn_id is None and not connection_first and (settings := _from_environment(environment)):
        return settings
    try:
        return _from_connection(conn_id or DEFAULT_CONN_ID)
    except ConnectionNotDefinedError:
        if conn_id is None and connection_first and (settings := _from_environment(environment)):
            return settings
        raise


def _from_environment(environment: Mapping[str, str]) -> ClientSettings | None:
    for name, secrets in PAIRS:
        if not environment.get(name):
            continue
        secret = next((one for one in secrets if environment.get(one)), None)
        if secret is None:
            raise CommsSettingsError(
                f"The environment variable {name} is set, but {' or '.join(secrets)} is not.",
                advice="Set both, or name an Airflow connection with --conn-id.",
            )
        return ClientSettings(
            username=environment[name],
            password=environment[secret],
            base_url=environment.get(BASE_URL) or DEFAULT_BASE_URL,
            name=f"environment variables {name} and {secret}",
            user_agent=f"{DEFAULT_USER_AGENT} (command line)",
        )
    return None


def _from_connection(conn_id: str) -> ClientSettings:
    with silence_startup_output():
        settings = _read_connection(conn_id)
    if not settings.verify:
        say(f"TLS verification is OFF for {settings.name}.")
    return settings


def _read_connection(conn_id: str) -> ClientSettings:
    from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException

    from airflow_provider_comms.hooks.comms import CommsHook

    # Outside a task, Airflow 3 reads its own database only in a process that it takes for one of its servers.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    try:
        return CommsHook(conn_id).settings
    except AirflowNotFoundException as error:
        raise ConnectionNotDefinedError(str(error)) from None
    except AirflowException as error:
        raise CommsSettingsError(f"Could not read connection {conn_id}: {error}") from None

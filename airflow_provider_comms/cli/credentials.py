"""Whom a command talks to, and as whom: an Airflow connection, or Twilio's usual environment variables."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from airflow_provider_comms.cli.quiet import held_back
from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.comms.settings import DEFAULT_BASE_URL, DEFAULT_USER_AGENT, ClientSettings
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

PAIRS = (
    ("TWILIO_API_KEY", ("TWILIO_API_KEY_SECRET", "TWILIO_API_SECRET")),
    ("TWILIO_ACCOUNT_SID", ("TWILIO_AUTH_TOKEN",)),
)
"""User name, and the variables that may hold its password; a key goes before the account, which often stands by."""
BASE_URL = "COMMS_BASE_URL"


def settings_for(conn_id: str | None, environment: Mapping[str, str] = os.environ) -> ClientSettings:
    """
    Return the settings of a connection, or of the environment's variables where none is named.

    :param conn_id: id of an Airflow connection; None takes the variables, and the default connection without them.
    :raises CommsSettingsError: there is no such connection, or it cannot be right.
    """
    if conn_id is None and (pair := _pair(environment)):
        name, secret = pair
        return ClientSettings(
            username=environment[name],
            password=secret,
            base_url=environment.get(BASE_URL) or DEFAULT_BASE_URL,
            name=f"{name} of the environment",
            user_agent=f"{DEFAULT_USER_AGENT} (command line)",
        )
    return _of_connection(conn_id or DEFAULT_CONN_ID)


def _pair(environment: Mapping[str, str]) -> tuple[str, str] | None:
    for name, secrets in PAIRS:
        if not environment.get(name):
            continue
        if secret := next(filter(None, map(environment.get, secrets)), None):
            return name, secret
        raise CommsSettingsError(
            f"{name} is set in the environment, {' or '.join(secrets)} is not.",
            advice="Set both, or name an Airflow connection with --conn-id.",
        )
    return None


def _of_connection(conn_id: str) -> ClientSettings:
    with held_back():
        from airflow.providers.common.compat.sdk import AirflowException

        from airflow_provider_comms.hooks.comms import CommsHook

        # Outside a task, Airflow looks into its own database only if it takes this process for one of its servers.
        os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
        try:
            settings = CommsHook(conn_id).settings
        except AirflowException as error:
            raise CommsSettingsError(
                f"{error}.",
                advice=f"Add it (airflow connections add {conn_id} --conn-type twilio_comms ...), name another one "
                "with --conn-id, or set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.",
            ) from None
    if not settings.verify:
        sys.stderr.write(f"TLS verification is OFF for {settings.name}.\n")
    return settings

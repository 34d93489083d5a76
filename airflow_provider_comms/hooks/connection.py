"""One reading of an Airflow connection: what of it becomes which setting of the client."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook
from asgiref.sync import sync_to_async

from airflow_provider_comms.comms.arguments import with_nearest
from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.comms.settings import (
    DEFAULT_BASE_URL,
    DEFAULT_USER_AGENT,
    ClientSettings,
    RetryPolicy,
    Timeouts,
)
from airflow_provider_comms.hooks.fields import EXTRAS

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

_TIMEOUTS = {f"{name}_timeout": name for name in Timeouts.__dataclass_fields__}
_RETRY = frozenset(RetryPolicy.__dataclass_fields__)
_TYPES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "string": (str,),
}


async def aget_connection(conn_id: str) -> Connection:
    """
    Read a connection without blocking the event loop.

    Airflow has an async way from 3.1 on; `airflow dags test` cannot use it for a connection in the database.
    """
    try:
        return await BaseHook.aget_connection(conn_id)
    except (AttributeError, AirflowNotFoundException):
        return await sync_to_async(BaseHook.get_connection)(conn_id)


def settings_of(connection: Connection) -> ClientSettings:
    """
    Read a connection.

    :param connection: its login is the account SID or API key SID, its password the auth token or secret, its
        host another base URL, its extra the fields of the table in `hooks.fields`.
    :raises CommsSettingsError: a field cannot be right, or an extra is not known; names the connection.
    """
    name = f"connection {connection.conn_id}"
    extras = _extras(connection, name)
    timeouts = {_TIMEOUTS[extra]: extras.pop(extra) for extra in _TIMEOUTS.keys() & extras}
    retry = {extra: extras.pop(extra) for extra in _RETRY & extras.keys()}
    proxy = _proxy(extras.pop("proxy", None), extras.pop("proxy_password", None), name)
    try:
        return ClientSettings(
            username=connection.login or "",
            password=connection.password or "",
            base_url=_base_url(connection),
            name=name,
            proxy=proxy,
            user_agent=_user_agent(),
            timeouts=Timeouts(**timeouts),
            retry=RetryPolicy(**retry),
            **extras,
        )
    except CommsSettingsError as error:
        if name in error.message:
            raise
        raise CommsSettingsError(f"{error.message[:-1]} (in {name}).", advice=error.advice) from None


def _base_url(connection: Connection) -> str:
    """Put the URL together from where Airflow keeps its parts, however the connection was written down."""
    host = (connection.host or "").strip()
    if not host:
        return DEFAULT_BASE_URL
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    if connection.port:
        scheme, _, rest = host.partition("://")
        authority, slash, path = rest.partition("/")
        if not authority.rpartition(":")[2].isdigit():
            host = f"{scheme}://{authority}:{connection.port}{slash}{path}"
    return host


def _proxy(url: str | None, password: str | None, peer: str) -> str | None:
    """Put the proxy's password, which has a field of its own so that Airflow masks it, into the proxy's URL."""
    if not password:
        return url
    parts = urlsplit(url or "")
    if not parts.username or parts.password:
        raise CommsSettingsError(
            f"The extra 'proxy_password' of {peer} belongs to no user.",
            advice="Name the user in 'proxy', such as http://user@proxy.example.com:3128, and no password there.",
        )
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.rstrip(':')}:{quote(password, safe='')}@{host}"))


def _extras(connection: Connection, peer: str) -> dict[str, Any]:
    given = _extra_object(connection, peer)
    if unknown := [with_nearest(extra, EXTRAS) for extra in sorted(set(given) - set(EXTRAS))]:
        raise CommsSettingsError(
            f"The extra of {peer} has fields that are not known: {', '.join(unknown)}.",
            advice=f"Known are {', '.join(EXTRAS)}.",
        )
    return {name: _value(name, value, peer) for name, value in given.items() if value not in (None, "")}


def _extra_object(connection: Connection, peer: str) -> dict[str, Any]:
    text = connection.extra
    if not text:
        return {}
    try:
        extra = json.loads(text)
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise CommsSettingsError(f"The extra of {peer} is no JSON object.", advice='Give it such as {"attempts": 5}.')
    return extra


def _value(name: str, value: Any, peer: str) -> Any:
    field = EXTRAS[name]
    typed = _typed(field.kind, value)
    refusal = f"is not of type {field.kind}" if typed is None else field.refusal(typed)
    if refusal is None:
        return typed
    # Where a text is expected, a password may stand.
    shown = "" if field.kind == "string" else f"={value!r}"
    raise CommsSettingsError(f"The extra {name!r}{shown} of {peer} {refusal}.", advice=field.help)


def _typed(kind: str, value: Any) -> Any:
    """Return the value in the field's type, or None. A connection given as a URI has text for all of them."""
    if isinstance(value, str) and kind != "string":
        # What is no JSON stays text, and is refused below.
        with suppress(ValueError):
            value = json.loads(value.lower())
    return value if isinstance(value, _TYPES[kind]) and (kind == "boolean") == isinstance(value, bool) else None


def _user_agent() -> str:
    from airflow import __version__ as airflow_version

    return f"{DEFAULT_USER_AGENT} (Airflow/{airflow_version}; Python/{platform.python_version()})"

"""An Airflow connection becomes the settings of a client. The one place that reads it."""

from __future__ import annotations

import json
import platform
import re
from contextlib import contextmanager
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook
from asgiref.sync import sync_to_async

from airflow_provider_comms.comms.arguments import with_nearest
from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.settings import (
    DEFAULT_BASE_URL,
    DEFAULT_USER_AGENT,
    ClientSettings,
    RetryPolicy,
    Timeouts,
)
from airflow_provider_comms.hooks.fields import CONN_TYPE, EXTRAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.providers.common.compat.sdk import Connection

_TIMEOUTS = {f"{name}_timeout": name for name in Timeouts.__dataclass_fields__}
_RETRY = frozenset(RetryPolicy.__dataclass_fields__)
_TYPES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "string": (str,),
}
_SHELL_NAME = re.compile(r"[A-Za-z0-9_]+")
_ENDS_WITH_PORT = re.compile(r":\d+$")


async def aread_connection(conn_id: str) -> Connection:
    """
    Read a connection without blocking the event loop.

    Airflow has an async way from 3.1 on; `airflow dags test` cannot use it for a connection in the database.

    :raises AirflowNotFoundException: there is none of this id; the message says how to add it.
    """
    with advice_if_missing(conn_id):
        try:
            return await BaseHook.aget_connection(conn_id)
        except (AttributeError, AirflowNotFoundException):
            return await sync_to_async(BaseHook.get_connection)(conn_id)


@contextmanager
def advice_if_missing(conn_id: str) -> Iterator[None]:
    """Let the error about a connection that is not there say how to add it."""
    try:
        yield
    except AirflowNotFoundException as error:
        raise AirflowNotFoundException(f"{str(error).rstrip('.')}. {how_to_add(conn_id)}") from None


def how_to_add(conn_id: str) -> str:
    """Return how a connection is added, in one sentence."""
    command = f"airflow connections add {conn_id} --conn-type {CONN_TYPE} --conn-login SK... --conn-password ..."
    if not _SHELL_NAME.fullmatch(conn_id):
        return f"Add it: {command}"
    fields = {"conn_type": CONN_TYPE, "login": "SK...", "password": "..."}
    return f"Add it: {command}; or set AIRFLOW_CONN_{conn_id.upper()}='{json.dumps(fields)}' where the task runs."


def settings_of(connection: Connection) -> ClientSettings:
    """
    Turn a connection into the client's settings.

    :param connection: its login is the account SID or API key SID, its password the auth token or secret, its
        host another base URL, its extra the fields of the table in `hooks.fields`.
    :raises CommsSettingsError: a field is invalid, or an extra is not known; names the connection.
    """
    name = f"connection {connection.conn_id}"
    extras = _extras(connection, name)
    timeouts = {_TIMEOUTS[extra]: extras.pop(extra) for extra in _TIMEOUTS.keys() & extras}
    retry = {extra: extras.pop(extra) for extra in _RETRY & extras.keys()}
    try:
        return ClientSettings(
            username=_credential("login", connection.login, name),
            password=_credential("password", connection.password, name),
            base_url=_base_url(connection),
            name=name,
            proxy=_proxy(extras.pop("proxy", None), extras.pop("proxy_password", None), name),
            user_agent=_user_agent(),
            timeouts=Timeouts(**timeouts),
            retry=RetryPolicy(**retry),
            **extras,
        )
    except CommsSettingsError as error:
        if name in error.message:
            raise
        raise CommsSettingsError(f"{error.message.rstrip('.')} (in {name}).", advice=error.advice) from None


def _credential(field: str, value: str | None, name: str) -> str:
    if not value:
        raise CommsSettingsError(
            f"The {field} of {name} is empty.",
            advice="Login is an account SID or API key SID, password its auth token or secret.",
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise CommsSettingsError(
            f"The {field} of {name} holds characters that cannot be sent.",
            advice="Copy it again from Twilio's console.",
        ) from None
    return value


def _base_url(connection: Connection) -> str:
    """Put the URL together from where Airflow keeps its parts, however the connection was written down."""
    host = (connection.host or "").strip()
    if not host:
        return DEFAULT_BASE_URL
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if _is_ipv6(authority):
        authority = f"[{authority}]"
    if connection.port and not _ENDS_WITH_PORT.search(authority):
        authority = f"{authority}:{connection.port}"
    return f"{scheme}://{authority}{slash}{path}"


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True


def _proxy(url: str | None, password: str | None, name: str) -> str | None:
    """Put the proxy's password, which has its own field so that Airflow masks it, into the proxy's URL."""
    if not password:
        return url
    try:
        parts = urlsplit(url or "")
        has_user, has_password = bool(parts.username), bool(parts.password)
    except ValueError:
        return url  # The settings say what is wrong with it.
    if not has_user or has_password:
        raise CommsSettingsError(
            f"The extra 'proxy_password' of {name} is given without a user in 'proxy'.",
            advice="Name the user in 'proxy', such as http://user@proxy.example.com:3128, and no password there.",
        )
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.rstrip(':')}:{quote(password, safe='')}@{host}"))


def _extras(connection: Connection, name: str) -> dict[str, Any]:
    given = _extra_object(connection, name)
    if unknown := [with_nearest(extra, EXTRAS) for extra in sorted(set(given) - set(EXTRAS))]:
        raise CommsSettingsError(
            f"The extra of {name} has unknown fields: {', '.join(unknown)}.",
            advice=f"Known fields are {', '.join(EXTRAS)}.",
        )
    return {field: _value(field, value, name) for field, value in given.items() if value not in (None, "")}


def _extra_object(connection: Connection, name: str) -> dict[str, object]:
    text = connection.extra
    if not text:
        return {}
    extra = _json(text)
    if not isinstance(extra, dict):
        raise CommsSettingsError(f"The extra of {name} is not a JSON object.", advice='Write it like {"attempts": 5}.')
    return extra


def _value(field: str, value: object, name: str) -> Any:
    kind = EXTRAS[field].kind
    typed = _typed(kind, value)
    refusal = f"is not of type {kind}" if typed is None else EXTRAS[field].refusal(typed)
    if refusal is None:
        return typed
    # A text may be a password in the wrong field.
    shown = "" if kind == "string" else f"={excerpt(repr(value), length=40)}"
    raise CommsSettingsError(f"The extra {field!r}{shown} of {name} {refusal}.", advice=EXTRAS[field].help)


def _typed(kind: str, value: object) -> Any:
    """Return the value in the field's type, or None. A connection given as a URI has text for all of them."""
    if isinstance(value, str) and kind != "string":
        value = _json(value.lower())
    return value if isinstance(value, _TYPES[kind]) and (kind == "boolean") == isinstance(value, bool) else None


def _json(text: str) -> object:
    """Return the value of a JSON text; None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _user_agent() -> str:
    from airflow import __version__ as airflow_version

    return f"{DEFAULT_USER_AGENT} (Airflow/{airflow_version}; Python/{platform.python_version()})"

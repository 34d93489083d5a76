"""What is wrong with a connection, and how to fix it, in sentences for its maintainer. Never a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import (
    Cause,
    CommsAuthenticationError,
    CommsError,
    CommsPermissionError,
    CommsProtocolError,
    CommsRateLimitError,
)
from airflow_provider_comms.comms.http.proxy import proxy_name
from airflow_provider_comms.comms.settings import DEFAULT_BASE_URL

if TYPE_CHECKING:
    from airflow_provider_comms.comms.settings import ClientSettings

_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_OUR_SID = re.compile(r"(AC|SK)[0-9a-fA-F]{32}")
_ACCOUNT, _API_KEY = "AC", "SK"
_PROXY_AUTHENTICATION_REQUIRED = 407

_BY_CAUSE: dict[Cause, str] = {
    Cause.DNS: "The name of {hop} cannot be resolved (DNS): {detail} "
    "Check the spelling in {field}, and DNS on the machine that ran this test.",
    Cause.REFUSED: "Nothing listens at {hop}: {detail} Check host and port in {field}, and the firewall.",
    Cause.CONNECT_TIMEOUT: "No connection to {hop} in time. A firewall may drop it, or DNS is slow: check from the "
    "machine that ran this test, and whether a proxy must be set.",
    Cause.CERTIFICATE: "The certificate of {hop} is not trusted (TLS): {detail} "
    "If a proxy decrypts TLS, name its authority in 'CA file'; else check {field} and the machine's clock.",
    Cause.TLS: "TLS with {hop} failed: {detail} "
    "Check http or https and the port in {field}, and whether a proxy must be set.",
    Cause.PROXY: "{hop} rejected the request: {detail} "
    "Check 'Proxy' and 'Proxy password' of the connection, and that the proxy permits {host}.",
    Cause.TIMEOUT: "No complete response from {hop} in time, although it accepted the connection. "
    "Try again; if it persists, check Twilio's status page and the network in between.",
    Cause.DISCONNECTED: "The connection to {hop} was closed before the response was complete: {detail} {advice}",
}
_BY_TYPE: tuple[tuple[type[CommsError], str], ...] = (
    (CommsAuthenticationError, "{who} and this {secret} are not accepted by {host} ({reference}). {new_secret}"),
    (CommsPermissionError, "{who} is valid, but lacks the permission ({reference}). {advice}"),
    (CommsRateLimitError, "{host} has had too many requests ({reference}). Test again {later}."),
    (CommsProtocolError, "What answers at {host} is not the Comms API. {message} {advice}"),
)
_NEW_SECRET = {
    True: "Twilio shows a key's secret only once: if it is lost, create a new key (Console > Account settings > API "
    "keys & auth tokens), of type Standard, in region US1.",
    False: "Copy the auth token again from the first page of Twilio's console; it may have been rotated.",
}


def host_of(settings: ClientSettings) -> str:
    """Return host and port, and the path where there is one."""
    return settings.base_url.partition("://")[2]


def who_is(settings: ClientSettings) -> str:
    """Return the kind of the credential and the ends of its SID, such as `API key SK…1234`."""
    sid = settings.username
    kind = {_ACCOUNT: "Account SID", _API_KEY: "API key"}.get(sid[:2])
    return f"{kind} {sid[:2]}…{sid[-4:]}" if kind else "The login"


def preflight_error(settings: ClientSettings) -> str | None:
    """Return what is certainly wrong, before anything is sent; None if nothing is."""
    login = settings.username
    if _OUR_SID.fullmatch(login):
        return None
    if _OUR_SID.fullmatch(settings.password):
        return (
            "Login and password are swapped: the password is a SID (AC... or SK...). "
            "Put it into the login, and the auth token or the key's secret into the password. Nothing was sent."
        )
    if settings.base_url != DEFAULT_BASE_URL:
        return None  # A gateway may have logins of its own.
    seen = f"is a SID of another kind ({login[:2]}...)" if _SID.fullmatch(login) else f"has {len(login)} characters"
    return (
        f"The login {seen}. It must be an account SID or an API key SID: AC or SK and 32 of 0 to 9 and a to f. "
        "Copy it from Twilio's console. Nothing was sent."
    )


def diagnosis(error: CommsError, settings: ClientSettings) -> str:
    """Return cause and remedy of a failed request, in sentences on one line."""
    context = error.context
    cause = Cause.PROXY if context.status == _PROXY_AUTHENTICATION_REQUIRED else context.cause
    by_type = next((text for kind, text in _BY_TYPE if isinstance(error, kind)), "{message} {advice}")
    text = _BY_CAUSE[cause] if cause else by_type
    proxy = proxy_name(settings) if cause else None
    is_key = settings.username.startswith(_API_KEY)
    return text.format(
        who=who_is(settings),
        host=host_of(settings),
        hop=f"the proxy {proxy}" if proxy else host_of(settings),
        field="the proxy's URL" if proxy else "the base URL",
        secret="secret" if is_key else "auth token",
        new_secret=_NEW_SECRET[is_key],
        message=_sentence(error.message),
        detail=_sentence(context.detail or error.message),
        advice=error.advice,
        reference=_reference(error),
        later=f"in {error.retry_after:.0f} s" if error.retry_after else "later",
    )


def _reference(error: CommsError) -> str:
    context = error.context
    status = f"HTTP status {context.status}" if context.status else None
    code = f"Twilio code {context.code}" if context.code else None
    return ", ".join(filter(None, (status, code, context.request_id))) or "not sent"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."

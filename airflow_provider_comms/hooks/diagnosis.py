"""What is wrong with a connection, said to whoever has to mend it: the cause, then the remedy. Never a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from airflow_provider_comms.comms.errors import (
    CommsAuthenticationError,
    CommsPermissionError,
    CommsProtocolError,
    CommsRateLimitError,
    CommsTimeoutError,
    CommsUnreachableError,
)
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.settings import DEFAULT_BASE_URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.settings import ClientSettings

    Say = Callable[[CommsError, ClientSettings], str]

KINDS: dict[Resource, str] = {Resource.EMAILS: "e-mail", Resource.MESSAGES: "message"}
_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_OUR_SID = re.compile(r"(AC|SK)[0-9a-fA-F]{32}")
_ACCOUNT, _API_KEY = "AC", "SK"
_PROXY_AUTHENTICATION_REQUIRED = 407
_END_OF_AUTHORITY = re.compile(r"[/?#]")


def host_of(settings: ClientSettings) -> str:
    """Return host and port, and the path where there is one."""
    return settings.base_url.partition("://")[2]


def who_is(settings: ClientSettings) -> str:
    """Return the kind of the credential and the ends of its SID, such as `API key SK…1234`."""
    sid = settings.username
    kind = {_ACCOUNT: "Account SID", _API_KEY: "API key"}.get(sid[:2])
    return f"{kind} {sid[:2]}…{sid[-4:]}" if kind else "The login"


def preflight_error(settings: ClientSettings) -> str | None:
    """Return what must be wrong, whatever the API would say; None if nothing must."""
    login = settings.username
    if _OUR_SID.fullmatch(login):
        return None
    if _OUR_SID.fullmatch(settings.password):
        return (
            "Login and password are swapped: the SID (AC... or SK...) stands in the password. "
            "Put it into the login, and the auth token or the key's secret into the password. Nothing was sent."
        )
    if settings.base_url != DEFAULT_BASE_URL:
        return None  # A gateway may have names of its own.
    seen = f"is a SID of another kind ({login[:2]}...)" if _SID.fullmatch(login) else f"has {len(login)} characters"
    return (
        f"The login {seen}. It must be an account SID or an API key SID: AC or SK and 32 of 0 to 9 and a to f. "
        "Copy it from Twilio's console. Nothing was sent."
    )


def diagnosis(error: CommsError, settings: ClientSettings) -> str:
    """Return cause and remedy of a failed request, in sentences on one line."""
    if error.context.status == _PROXY_AUTHENTICATION_REQUIRED:
        return _proxy_refuses(error, settings)
    for kind, say in _SAYINGS:
        if isinstance(error, kind):
            return say(error, settings)
    return f"{_stop(error.message)} {error.advice}"


def _unauthenticated(error: CommsError, settings: ClientSettings) -> str:
    is_key = settings.username.startswith(_API_KEY)
    secret = "secret" if is_key else "auth token"
    remedy = (
        "Twilio shows a key's secret only once: if it is lost, make a new key (Console > Account settings > API keys "
        "& auth tokens), of the type Standard, in the region US1."
        if is_key
        else "Copy the auth token anew from the first page of Twilio's console; it may have been rotated."
    )
    return f"{who_is(settings)} and this {secret} are not accepted by {host_of(settings)} ({_marks(error)}). {remedy}"


def _forbidden(error: CommsError, settings: ClientSettings) -> str:
    return f"{who_is(settings)} is known, but lacks the permission ({_marks(error)}). {error.advice}"


def _limited(error: CommsError, settings: ClientSettings) -> str:
    delay = f"in {error.retry_after:.0f} s" if error.retry_after else "a little later"
    return f"{host_of(settings)} has had too many requests ({_marks(error)}). Test again {delay}."


def _not_ours(error: CommsError, settings: ClientSettings) -> str:
    return f"What answers at {host_of(settings)} is not the Comms API. {_stop(error.message)} {error.advice}"


def _silent(error: CommsError, settings: ClientSettings) -> str:
    who, _ = _next_hop(settings)
    if "ConnectTimeout" in error.message:
        return (
            f"No connection to {who} in time. A firewall may drop it, or its name takes too long to resolve: look "
            "from the machine that ran this test, and see whether a proxy must be set."
        )
    return (
        f"No whole answer came from {who} in time, though a connection stood. Try again; if it stays so, see Twilio's "
        "status page and whatever stands on the way."
    )


def _unreachable(error: CommsError, settings: ClientSettings) -> str:
    if "ProxyError" in error.message:
        return _proxy_refuses(error, settings)
    who, field = _next_hop(settings)
    for sign, cause, remedy in _UNREACHABLE:
        if sign.search(error.message):
            return f"{cause.format(who)}: {_stop(_detail(error))} {remedy.format(field)}"
    return f"No whole answer from {who}: {_stop(_detail(error))} {error.advice}"


def _proxy_refuses(error: CommsError, settings: ClientSettings) -> str:
    return (
        f"The proxy {proxy_of(settings)} does not let the request through: {_stop(_detail(error))} "
        f"Check 'Proxy' and 'Proxy password' of the connection, and that the proxy permits {host_of(settings)}."
    )


_SAYINGS: tuple[tuple[type[CommsError], Say], ...] = (
    (CommsAuthenticationError, _unauthenticated),
    (CommsPermissionError, _forbidden),
    (CommsRateLimitError, _limited),
    (CommsProtocolError, _not_ours),
    (CommsTimeoutError, _silent),
    (CommsUnreachableError, _unreachable),
)
# What the operating system, OpenSSL and the HTTP library say is the only sign there is.
_UNREACHABLE = (
    (
        re.compile(r"(?i)name or service|name resolution|nodename nor|getaddrinfo|no address associated"),
        "The name of {} cannot be resolved (DNS)",
        "Check the spelling in {}, and DNS on the machine that ran this test.",
    ),
    (
        re.compile(r"(?i)certificate"),
        "The certificate of {} is not trusted (TLS)",
        "Where a proxy reads TLS, name its authority in 'CA file'; else check {} and the machine's clock.",
    ),
    (
        re.compile(r"\b(SSL|TLS)\b"),
        "No TLS can be agreed on with {}",
        "Check http or https and the port in {}, and whether a proxy must be set.",
    ),
    (
        re.compile(r"(?i)refused|all connection attempts failed|unreachable|no route"),
        "Nobody listens at {}",
        "Check host and port in {}, and the firewall.",
    ),
)


def _next_hop(settings: ClientSettings) -> tuple[str, str]:
    """Return whom we connect to, and what of the connection says so."""
    proxy = proxy_of(settings)
    return (f"the proxy {proxy}", "the proxy's URL") if proxy else (host_of(settings), "the base URL")


def proxy_of(settings: ClientSettings) -> str | None:
    """Return host and port of the proxy that requests go through, the connection's or the environment's."""
    target = urlsplit(settings.base_url)
    url = settings.proxy
    if not url and not proxy_bypass(target.hostname or ""):
        proxies = getproxies()
        url = proxies.get(target.scheme) or proxies.get("all")
    if not url:
        return None
    # Split by hand: in a variable, a password may hold any of these characters as they are.
    authority = url.partition("://")[2] or url
    return _END_OF_AUTHORITY.split(authority.rpartition("@")[2])[0]


def _detail(error: CommsError) -> str:
    """Return what was said, without the names of the request and of the library's class."""
    return error.context.detail or error.message


def _marks(error: CommsError) -> str:
    where = error.context
    status = f"HTTP status {where.status}" if where.status else None
    code = f"Twilio code {where.code}" if where.code else None
    return ", ".join(filter(None, (status, code, where.request_id))) or "not sent"


def _stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."

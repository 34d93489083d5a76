"""How to reach the API: address, credentials, timeouts, retries. Checked when made, so that no client has bad ones."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from airflow_provider_comms import __version__
from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.comms.redaction import shown
from airflow_provider_comms.comms.resource import API_VERSION

if TYPE_CHECKING:
    from airflow_provider_comms.comms.observer import Observer

DEFAULT_BASE_URL = "https://comms.twilio.com"
MAX_SECONDS = 10**7
"""Of any timeout; far above it, the clock of the event loop would overflow."""
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
DEFAULT_USER_AGENT = f"airflow-provider-comms/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """
    How long each part of a call may take, in seconds.

    :param connect: until a connection is open.
    :param read: until the next bytes of a response arrive.
    :param write: until the next bytes of a request are sent.
    :param attempt: for one request and its whole response, however slowly it arrives.
    :param call: for a call with all its retries and the waits between them.
    :raises CommsSettingsError: a value is not a positive, finite number.
    """

    connect: float = 10.0
    read: float = 30.0
    write: float = 30.0
    attempt: float = 60.0
    call: float = 300.0

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            _check_seconds(f"{name}_timeout", getattr(self, name))

    def at_most(self, **seconds: float) -> Timeouts:
        """Return these timeouts, the named ones not longer than the given seconds."""
        return replace(self, **{name: min(getattr(self, name), most) for name, most in seconds.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """
    When a failed request is sent again. Times in seconds.

    :param attempts: requests that one call may make, including the first.
    :param retry_after_cap: longest Retry-After that a call waits for; with a longer one it fails at once.
    :param backoff_base: upper bound of the wait before the first retry when there is no Retry-After.
    :param backoff_cap: upper bound of later waits; each bound is twice the previous one.
    :raises CommsSettingsError: `attempts` is not an integer >= 1, or a time is not a positive, finite number.
    """

    attempts: int = 5
    retry_after_cap: float = 120.0
    backoff_base: float = 1.0
    backoff_cap: float = 30.0

    def __post_init__(self) -> None:
        _check_count("attempts", self.attempts)
        for name in ("retry_after_cap", "backoff_base", "backoff_cap"):
            _check_seconds(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """
    Everything a client needs to know.

    :param username: account SID (AC...) or API key SID (SK...).
    :param password: the auth token, or the key's secret. Not shown in the repr.
    :param base_url: scheme and host, with or without `/v1`.
    :param name: what errors and logs call this connection.
    :param verify: check the server's certificate. Off is for tests behind a proxy of your own only.
    :param ca_file: path of a PEM file of authorities to trust in place of the usual ones.
    :param proxy: URL of a proxy; None takes the usual environment variables. Not shown in the repr.
    :param user_agent: names the program to Twilio.
    :param max_in_flight: requests that one client has under way at once; further ones wait their turn.
    :param timeouts: how long each part of a call may take.
    :param retry: when a failed request is sent again.
    :param observer: told of each request that was sent, for metrics; see `comms.observer`. Settings that differ in it
        alone are equal.
    """

    username: str
    password: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL
    name: str = "Comms API"
    verify: bool = True
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    user_agent: str = DEFAULT_USER_AGENT
    max_in_flight: int = 16
    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    observer: Observer | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("username", "password"):
            _check_credential(f"The {name} of {self.name}", getattr(self, name))
        _check_ca_file(self.ca_file)
        _check_user_agent(self.user_agent)
        _check_count("max_in_flight", self.max_in_flight)
        object.__setattr__(self, "base_url", normal_base_url(self.base_url))
        if self.proxy is not None:
            check_proxy_url(self.proxy, "The proxy")

    @property
    def description(self) -> str:
        """Whom we talk to and through what, for errors."""
        return f"{self.name}, {self.base_url}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, and could come back in a response or in a message of the HTTP library."""
        return _as_sent(self.username, self.password) + proxy_secrets(self.proxy)


def proxy_secrets(url: str | None) -> tuple[str, ...]:
    """Return what of a proxy's URL must never be shown."""
    parts = urlsplit(url or "")
    return _as_sent(unquote(parts.username or ""), unquote(parts.password or ""))


def _as_sent(user: str, password: str) -> tuple[str, ...]:
    return (password, b64encode(f"{user}:{password}".encode()).decode()) if password else ()


def normal_base_url(url: str) -> str:
    """
    Return the URL in the one form we use: scheme, host and path up to the API's version, no slash at the end.

    :raises CommsSettingsError: no http or https, no host, a user, a query or a fragment in it.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except (ValueError, AttributeError):  # No text at all has no `strip`.
        raise _bad_url("cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad_url(f"({parts.scheme}://{parts.hostname or ''}) needs http:// or https:// and a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _bad_url("contains more than scheme, host, port and path")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix(API_VERSION).rstrip("/")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}"


def _check_seconds(name: str, value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= MAX_SECONDS:
        raise CommsSettingsError(
            f"{name}={shown(value)} is out of range.", advice=f"Use seconds, above 0 and up to {MAX_SECONDS}."
        )


def _check_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise CommsSettingsError(f"{name}={shown(value)} is out of range.", advice="Use an integer >= 1.")


def _check_credential(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise CommsSettingsError(
            f"{name} is empty or not a string.",
            advice="Username is an account SID or API key SID, password its auth token or secret.",
        )
    if not _is_encodable(value):
        raise CommsSettingsError(f"{name} has characters that cannot be sent.", advice="Copy it from Twilio again.")


def _check_ca_file(path: object) -> None:
    if path is not None and (not isinstance(path, str) or "\0" in path or not _is_encodable(path)):
        raise CommsSettingsError(
            f"ca_file={shown(path)} is not a path.",
            advice="Use the path of a PEM file that exists where the task runs.",
        )


def _check_user_agent(value: object) -> None:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise CommsSettingsError(
            f"user_agent={shown(value)} cannot be sent as a header.", advice="Use printable ASCII characters."
        )


def _is_encodable(text: str) -> bool:
    # Not if it holds half a surrogate pair.
    return text == text.encode("utf-8", "replace").decode("utf-8")


def check_proxy_url(url: str, name: str) -> None:
    """
    Refuse what is not the URL of a proxy.

    :param name: what the error calls it. The URL itself is not shown: a password may be in it, in any of its parts.
    :raises CommsSettingsError: no host, a port that cannot be, a scheme or a part that the URL of a proxy has not.
    """
    if not _is_proxy_url(url):
        raise CommsSettingsError(
            f"{name} is not the URL of a proxy.",
            advice="Use one such as http://user:password@proxy.example.com:3128, with / ? # @ in the password written "
            "as %2F %3F %23 %40.",
        )


def _is_proxy_url(url: object) -> bool:
    if not isinstance(url, str) or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_whole = parts.path in ("", "/") and not parts.query and not parts.fragment
    return parts.scheme in PROXY_SCHEMES and bool(parts.hostname) and is_whole


def _bad_url(why: str) -> CommsSettingsError:
    return CommsSettingsError(
        f"The base URL {why}.", advice=f"Use a URL such as {DEFAULT_BASE_URL}, without credentials."
    )

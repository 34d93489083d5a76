"""
What can go wrong between this client and the Comms API.

CommsError
├── CommsArgumentError          an invalid argument; no request was made                 (a ValueError too)
├── CommsSettingsError          an invalid setting of a connection; no request was made  (a ValueError too)
├── CommsUnreachableError       no complete response: DNS, connect, TLS, reset, truncated body
│   ├── CommsTimeoutError       no complete response in time
│   └── CommsCertificateError   the server's certificate is not trusted
├── CommsProtocolError          the response is not the Comms API's
├── CommsRecordError            one operation's record cannot be read; others can
└── CommsStatusError            the API answered with an error status
    ├── CommsBadRequestError        400
    ├── CommsAuthenticationError    401
    ├── CommsPermissionError        403
    ├── CommsNotFoundError          404
    ├── CommsRateLimitError         429
    └── CommsServerError            500, 502, 503, 504

Every error says what happened, where, and what to do about it; none holds a token, a secret or a recipient.
All of them can be pickled and copied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class Cause(StrEnum):
    """Why no complete response came, as far as the operating system, TLS and HTTP report it."""

    DNS = "dns"
    """The host's name could not be resolved."""
    REFUSED = "refused"
    """No connection: nothing listens there, or there is no route."""
    CONNECT_TIMEOUT = "connect_timeout"
    """No connection in time."""
    CERTIFICATE = "certificate"
    """The certificate is not trusted."""
    TLS = "tls"
    """Any other failure of TLS, such as plain HTTP on the other side."""
    PROXY = "proxy"
    """The proxy refused to connect us."""
    TIMEOUT = "timeout"
    """Connected, but no complete response in time."""
    DISCONNECTED = "disconnected"
    """Connected, but the connection was closed or reset, or what came was not HTTP."""


@dataclass(frozen=True, slots=True)
class ApiError:
    """
    One thing that is wrong with a request, said by the API or found before it was sent.

    :param code: Twilio's error code, such as 21614; None if there is none.
    :param message: what is wrong. It contains no recipient.
    :param field: the field at fault, such as "to.address" or "content.text"; None if it is none in particular.
    :param row: number of the recipient at fault, from 1, in the order of the request; None if it is none of them.
    """

    code: int | None
    message: str
    field: str | None = None
    row: int | None = None

    def __str__(self) -> str:
        code = "" if self.code is None else f"code {self.code}"
        place = f"at {self.place}" if self.place else ""
        return self._with(", ".join(filter(None, (code, place))))

    def without_code(self) -> str:
        """Return it for where the code is shown already."""
        return self._with(f"at {self.place}" if self.place else "")

    def _with(self, details: str) -> str:
        return f"{self.message} ({details})" if details else self.message

    @property
    def place(self) -> str:
        """Where it is wrong, such as "recipient 18: address" or "content.text"."""
        if self.row is None:
            return self.field or ""
        within = (self.field or "").removeprefix("to").removeprefix(".")
        return f"recipient {self.row}: {within}" if within else f"recipient {self.row}"


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """
    The circumstances of an error; unknown ones are None.

    :param peer: the other side: "connection twilio_comms_default, https://comms.twilio.com".
    :param method: HTTP method.
    :param path: path of the request, without its query, which may contain a page token.
    :param resource: "emails" or "messages".
    :param operation_id: id of the operation asked for.
    :param status: HTTP status of the response.
    :param code: Twilio's error code, such as 20404.
    :param request_id: Twilio's id of the request, which its support asks for.
    :param retry_after: seconds that the server asked us to wait.
    :param cause: why no complete response came; None if one came or no request was sent.
    :param detail: what the operating system or the HTTP library said about the cause.
    :param sent: of a request that sends something: False if not one byte of it was written, so that it had no effect;
        True if some or all of it was. None of any other request.
    :param errors: each thing that is wrong with the request, with the number of the recipient.
    :param is_comms_error: whether the response has the form of the Comms API's errors. If not, something in front of
        the API may have answered.
    """

    peer: str | None = None
    method: str | None = None
    path: str | None = None
    resource: str | None = None
    operation_id: str | None = None
    status: int | None = None
    code: int | None = None
    request_id: str | None = None
    retry_after: float | None = None
    cause: Cause | None = None
    detail: str | None = None
    sent: bool | None = None
    errors: tuple[ApiError, ...] = field(default=(), repr=False)
    is_comms_error: bool = False

    def __str__(self) -> str:
        known = (
            self.peer,
            self.resource and self._subject(),
            self.status and f"HTTP status {self.status}",
            self.code and f"Twilio code {self.code}",
            self.request_id and f"request {self.request_id}",
            None if self.retry_after is None else f"Retry-After {self.retry_after:.0f} s",
        )
        return "; ".join(part for part in known if part)

    def _subject(self) -> str:
        if self.operation_id:
            return f"{self.resource} operation {self.operation_id}"
        if self.method == "POST":
            return f"send of {self.resource}"
        is_of_items = self.path is not None and not self.path.endswith("/Operations")
        return f"list of {self.resource}" if is_of_items else f"list of {self.resource} operations"


NO_CONTEXT = ErrorContext()
UNKNOWN_OUTCOME = (
    "It is not known whether it was accepted. Before you send it again, look for it by one of its tags (find_sends, or "
    "'airflow comms find')."
)
"""Advice where a send may or may not have had an effect."""


class CommsError(Exception):
    """
    Base of all errors of the client.

    :param message: what happened, in one line.
    :param context: the circumstances.
    :param advice: what to do, in one line; None takes the class's own.
    """

    default_advice: ClassVar[str] = ""
    transient: ClassVar[bool] = False
    """Whether the same request may well succeed a little later."""
    wrong_endpoint: ClassVar[bool] = False
    """Whether the other side may not be the Comms API at all."""

    def __init__(self, message: str, context: ErrorContext = NO_CONTEXT, advice: str | None = None) -> None:
        # All of it goes into `args`, so that pickle and copy rebuild the error whole.
        super().__init__(message, context, advice)
        self.message = message
        self.context = context
        self.advice = self.default_advice if advice is None else advice

    def __str__(self) -> str:
        lines = [self.message]
        if context := str(self.context):
            lines.append(f"  where: {context}")
        if self.advice:
            lines.append(f"  to do: {self.advice}")
        return "\n".join(lines)

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asked us to wait, or None."""
        return self.context.retry_after


class CommsArgumentError(CommsError, ValueError):
    """An invalid argument; the message names it and its value."""


class CommsSettingsError(CommsError, ValueError):
    """An invalid setting of a connection; the message names the field."""


class CommsUnreachableError(CommsError):
    """No complete response came; `context.cause` says why."""

    default_advice = (
        "Check that the host of the connection is right and can be reached from this machine "
        "(DNS, proxy, firewall, TLS certificates). It may be temporary."
    )
    transient = True


class CommsTimeoutError(CommsUnreachableError):
    """No complete response came in time."""

    default_advice = (
        "Check the network between this machine and the host; raise the timeouts of the connection "
        "if it is known to be slow. It may be temporary."
    )


class CommsCertificateError(CommsUnreachableError):
    """The server's certificate is not trusted."""

    default_advice = (
        "Check the host of the connection. If a proxy decrypts TLS on the way, name the file of its CA in "
        "'ca_file' of the connection."
    )
    transient = False
    wrong_endpoint = True


class CommsProtocolError(CommsError):
    """The response is not the Comms API's."""

    wrong_endpoint = True

    default_advice = (
        "Check that the host of the connection is the Comms API and that no proxy or portal answers in its "
        "place. If it is, report the response to Twilio's support with the request id."
    )


class CommsRecordError(CommsError):
    """
    The record of one operation cannot be read; the other records can.

    The message names the field and what is wrong with it.
    """

    default_advice = (
        "Other operations are not affected. It may be readable next time; if not, report it to Twilio's support "
        "with the operation id."
    )


class CommsStatusError(CommsError):
    """The API answered with an error status."""

    default_advice = "See Twilio's error dictionary for the code; give the request id to Twilio's support."


class CommsBadRequestError(CommsStatusError):
    """400: the request is malformed."""

    default_advice = "Fix the argument named in the message."


class CommsAuthenticationError(CommsStatusError):
    """401: the credentials are rejected."""

    default_advice = (
        "Check login (account SID or API key SID) and password (its auth token or secret) of the connection: "
        "a rotated token, the two swapped, or a key of another account."
    )


class CommsPermissionError(CommsStatusError):
    """403: the credentials are valid, but lack the permission."""

    default_advice = (
        "Use an API key that may read Comms operations (a standard key; restricted keys may not), "
        "and check that the account is not a trial account."
    )


class CommsNotFoundError(CommsStatusError):
    """404: there is no such operation."""

    default_advice = (
        "Check the operation id, that it is of this resource (the id does not say which), and that the connection is "
        "of the account that sent it. Twilio keeps operations for 7 days from their creation."
    )


class CommsRateLimitError(CommsStatusError):
    """429: too many requests. The request was not processed."""

    default_advice = "Send fewer requests (a longer poke_interval, fewer parallel slices); the limit is temporary."
    transient = True


class CommsServerError(CommsStatusError):
    """500, 502, 503 or 504: the API, or a gateway in front of it, has failed."""

    default_advice = "It is usually temporary; if not, see Twilio's status page."
    transient = True


STATUS_ERRORS: dict[int, type[CommsStatusError]] = {
    400: CommsBadRequestError,
    401: CommsAuthenticationError,
    403: CommsPermissionError,
    404: CommsNotFoundError,
    429: CommsRateLimitError,
    **dict.fromkeys((500, 502, 503, 504), CommsServerError),
}
"""HTTP status to class; every other status is a plain CommsStatusError."""

"""Who may ask for what: Basic authentication and permissions."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from airflow_provider_comms.simulator.fields import FieldError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Credentials accepted unless others are given; made up, and of no use elsewhere.
DEFAULT_ACCOUNT_SID = "AC" + "5100" * 8
DEFAULT_AUTH_TOKEN = "simulated-auth-token"  # noqa: S105
DEFAULT_API_KEY_SID = "SK" + "5100" * 8
DEFAULT_API_KEY_SECRET = "simulated-api-key-secret"  # noqa: S105


class Credentials:
    """
    The accepted pairs of user name and password, and what each may not read.

    :param pairs: password by user name (an account SID or an API key SID).
    """

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._pairs = dict(pairs)
        self.permit_all()

    def permit_all(self) -> None:
        """Accept every user, with every permission."""
        self._forbidden: set[tuple[str, str]] = set()
        self._revoked: set[str] = set()

    def identify(self, authorization: str | None) -> str | None:
        """The user name in an Authorization header, or None when it is not accepted."""
        user, password = _read_basic(authorization or "")
        expected = self._pairs.get(user)
        if expected is None or user in self._revoked or not hmac.compare_digest(expected.encode(), password.encode()):
            return None
        return user

    def may_read(self, user: str, resource: str) -> bool:
        """Whether a user's permissions cover a resource."""
        return (user, resource) not in self._forbidden

    def permit(self, user: str, resource: str, allowed: bool) -> None:
        """
        Grant a user a resource, or take it away.

        :raises FieldError: for an unknown user.
        """
        self._check(user)
        self._forbidden.discard((user, resource))
        if not allowed:
            self._forbidden.add((user, resource))

    def revoke(self, user: str) -> None:
        """
        Accept a user no more, whatever the password.

        :raises FieldError: for an unknown user.
        """
        self._check(user)
        self._revoked.add(user)

    def _check(self, user: str) -> None:
        if user not in self._pairs:
            raise FieldError("credential", f"no such user name; known are {', '.join(self._pairs)}")


def _read_basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # Not base 64, or not UTF-8.
        return "", ""
    return user, password

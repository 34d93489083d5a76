"""Who may ask for what: Basic authentication and permissions."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from airflow_provider_comms.simulator.fields import FieldError
from airflow_provider_comms.simulator.identifiers import ROUTES

#: Credentials accepted unless others are given; made up, and of no use elsewhere.
DEFAULT_ACCOUNT_SID = "AC" + "5100" * 8
DEFAULT_AUTH_TOKEN = "simulated-auth-token"  # noqa: S105
DEFAULT_API_KEY_SID = "SK" + "5100" * 8
DEFAULT_API_KEY_SECRET = "simulated-api-key-secret"  # noqa: S105


class Credentials:
    """The accepted user names (account SIDs or API key SIDs) with their passwords, and what each may not do."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._users = {base64.b64encode(f"{user}:{pairs[user]}".encode()).decode(): user for user in pairs}
        self.permit_all()

    def permit_all(self) -> None:
        """Accept every user, with every permission."""
        self._forbidden: set[tuple[str, str, str]] = set()
        self._revoked: set[str] = set()

    def identify(self, authorization: str | None) -> str | None:
        """The user name in an Authorization header, or None when it is not accepted."""
        scheme, _, encoded = (authorization or "").partition(" ")
        user = self._users.get(encoded.strip()) if scheme.lower() == "basic" else None
        return None if user in self._revoked else user

    def allows(self, user: str, resource: str, route: str) -> bool:
        """Whether a user's permissions cover a route of a resource."""
        return (user, resource, route) not in self._forbidden

    def permit(self, user: str, resource: str, allowed: bool, route: str | None = None) -> None:
        """Grant a user a resource, or one route of it, or take it away."""
        self._check(user)
        forbidden = {(user, resource, one) for one in ([route] if route else ROUTES)}
        self._forbidden = self._forbidden - forbidden if allowed else self._forbidden | forbidden

    def revoke(self, user: str) -> None:
        """Accept a user no more, whatever the password."""
        self._check(user)
        self._revoked.add(user)

    def _check(self, user: str) -> None:
        if user not in self._users.values():
            raise FieldError("credential", f"no such user name; known are {', '.join(self._users.values())}")

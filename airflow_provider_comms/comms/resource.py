"""The kinds of operation, the states they pass through and the counters they carry. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum

API_VERSION = "/v1"


class Resource(StrEnum):
    """
    What an operation sends. The id of an operation does not tell, so every request names it.

    Source: Twilio's pages on the email and the message operation resource.
    """

    EMAILS = "emails"
    MESSAGES = "messages"

    @property
    def items_path(self) -> str:
        """Where its items are sent to, and listed; below the base URL."""
        return f"{API_VERSION}/{self.value.capitalize()}"

    @property
    def operations_path(self) -> str:
        """Where its operations are listed, and each one fetched; below the base URL."""
        return f"{self.items_path}/Operations"

    @property
    def counters(self) -> tuple[str, ...]:
        """The counters that Twilio documents for this resource, in the order of its pages."""
        return _COUNTERS[self]


_COUNTERS: dict[Resource, tuple[str, ...]] = {
    Resource.EMAILS: (
        "total",
        "recipients",
        "attempts",
        "queued",
        "sent",
        "scheduled",
        "delivered",
        "opened",
        "failed",
        "undelivered",
        "canceled",
    ),
    Resource.MESSAGES: (
        "total",
        "recipients",
        "attempts",
        "queued",
        "sent",
        "scheduled",
        "delivered",
        "read",
        "undelivered",
        "unaddressable",
        "failed",
        "canceled",
    ),
}


class OperationStatus(StrEnum):
    """
    The states that Twilio documents. There is no FAILED: failure is read from the counters.

    A status that is not listed here may appear one day; it is kept as text and is not terminal.
    """

    SCHEDULED = "SCHEDULED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"

    @property
    def is_terminal(self) -> bool:
        """Whether an operation in this state will leave it no more."""
        return self in (OperationStatus.COMPLETED, OperationStatus.CANCELED)


DEFAULT_PAGE_SIZE = 1000
MAX_PAGE_SIZE = 1000
RETENTION_DAYS = 7
"""Days from its creation that Twilio keeps an operation's record."""

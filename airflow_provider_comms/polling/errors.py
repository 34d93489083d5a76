"""What a wait hears when its operation was not asked for, and which errors may meet more than one operation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_comms.comms.errors import (
    CommsAuthenticationError,
    CommsError,
    CommsPermissionError,
    CommsRateLimitError,
    CommsSettingsError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_comms.comms.models import Operation

UNREAD_CREDENTIALS = "the credentials were refused, and could not be read again"
_OF_THE_CONNECTION = (CommsAuthenticationError, CommsPermissionError, CommsSettingsError)


class NotPolledError(CommsError):
    """The operation was not asked for this time, because requests for others failed; it will be. Always transient."""

    transient: ClassVar[bool] = True
    default_advice = "It will be asked for again. If this goes on, see the reason."


def is_common(error: CommsError) -> bool:
    """Whether the cause of an operation's error may well meet requests for other operations too."""
    return error.transient or error.wrong_endpoint or isinstance(error, _OF_THE_CONNECTION)


def is_refusal(error: CommsError) -> bool:
    """Whether it may be common, and will not pass by itself: refused credentials, or a wrong endpoint."""
    return is_common(error) and not error.transient


def not_polled(cause: CommsError, reason: str = "other requests failed") -> NotPolledError:
    """
    Return what the others are told in place of an error that one operation, or a list, met.

    :param cause: what happened.
    :param reason: why that keeps the operation from being polled.

    Neither an operation's id stands in another one's error, nor a Retry-After that does not concern all.
    """
    context, message = cause.context, cause.message
    if context.operation_id:
        message = message.replace(context.operation_id, "...")
    retry_after = context.retry_after if isinstance(cause, CommsRateLimitError) else None
    shared = replace(context, path=None, operation_id=None, retry_after=retry_after)
    return NotPolledError(f"Not polled this time, as {reason}: {message}", shared)


def refusals_left_open(found: Mapping[str, Operation | CommsError]) -> dict[str, Operation | CommsError]:
    """Return what was found, with refusals of the credentials made transient: they could not be read again."""
    return {
        one: not_polled(what, UNREAD_CREDENTIALS) if isinstance(what, CommsAuthenticationError) else what
        for one, what in found.items()
    }

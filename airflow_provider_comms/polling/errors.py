"""What a wait is told when its operation was not polled, and which errors may affect more than one operation."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_comms.comms.errors import (
    CommsAuthenticationError,
    CommsError,
    CommsPermissionError,
    CommsRateLimitError,
    CommsSettingsError,
)

if TYPE_CHECKING:
    from typing import TypeGuard

REJECTED_CREDENTIALS = (CommsAuthenticationError, CommsPermissionError)
"""Errors that are believed only after the connection was read again: a token may have been rotated since."""
_OF_THE_CONNECTION = (*REJECTED_CREDENTIALS, CommsSettingsError)


class Reread(Enum):
    """What reading the connection again has shown."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class NotPolledError(CommsError):
    """The operation was not polled this time, because requests for others failed; it will be. Always transient."""

    transient: ClassVar[bool] = True
    default_advice = "It will be polled again. If this continues, fix the cause."


def is_common(error: CommsError) -> bool:
    """Whether the cause of an operation's error may affect other operations too."""
    return error.transient or error.wrong_endpoint or isinstance(error, _OF_THE_CONNECTION)


def is_refusal(error: CommsError) -> bool:
    """Whether it may affect others and does not pass by itself: rejected credentials, or a wrong endpoint."""
    return is_common(error) and not error.transient


def not_polled(cause: CommsError, reason: str = "other requests failed") -> NotPolledError:
    """
    Return the error for operations that were not polled because of another one's, or a list's, error.

    It neither names the other operation nor carries its Retry-After, unless that holds for all.

    :param cause: what happened.
    :param reason: why that kept the operation from being polled.
    """
    context, message = cause.context, cause.message
    if context.operation_id:
        message = message.replace(context.operation_id, "...")
    retry_after = context.retry_after if isinstance(cause, CommsRateLimitError) else None
    shared = replace(context, path=None, operation_id=None, retry_after=retry_after)
    return NotPolledError(f"Not polled this time because {reason}: {message}", shared)


def is_rejection(found: object) -> TypeGuard[CommsError]:
    """Whether an operation could not be read because its request's credentials were rejected."""
    return isinstance(found, REJECTED_CREDENTIALS)


def after_reread(error: CommsError, reread: Reread) -> CommsError | None:
    """
    Return what rejected credentials mean once the connection was read again.

    :return: None if it has changed, and the request is to be sent once more; an error that is not final if it could
        not be read; else the error.
    """
    if reread is Reread.CHANGED:
        return None
    if reread is Reread.FAILED:
        return not_polled(error, "the credentials were rejected, and could not be read again")
    return error

"""What a wait hears when its operation was not asked for, and which errors may meet more than one operation."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from airflow_provider_comms.comms.errors import (
    CommsAuthenticationError,
    CommsError,
    CommsPermissionError,
    CommsRateLimitError,
    CommsSettingsError,
    ErrorContext,
)

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


def not_polled(cause: CommsError) -> NotPolledError:
    """
    Return what the others are told in place of an error that one operation, or a list, met.

    A Retry-After is passed on only where it concerns all.
    """
    message, context = _of_all(cause)
    if not isinstance(cause, CommsRateLimitError):
        context = replace(context, retry_after=None)
    return NotPolledError(f"Not polled this time, as other requests failed: {message}", context)


def without_operation(error: CommsError) -> CommsError:
    """Return an error that is proven to meet all, free of the operation that met it."""
    return type(error)(*_of_all(error), error.advice)


def _of_all(error: CommsError) -> tuple[str, ErrorContext]:
    """Return message and context without the operation: its id must not stand in another one's error."""
    context, message = error.context, error.message
    if context.operation_id:
        message = message.replace(context.operation_id, "...")
    return message, replace(context, path=None, operation_id=None)

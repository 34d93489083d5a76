"""
What the end of a POST means: the one table that decides whether it may be sent again.

| What happened | Outcome |
|---|---|
| 2xx with an operation's id | ACCEPTED |
| 202 without one | UNTRACKED |
| an error before a byte was written, 429 | NOT_SENT |
| 503 in the form of the Comms API | BUSY |
| an argument, 3xx, 400, 401, 403, 404 and other refusals | REFUSED |
| everything else | UNKNOWN |
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsArgumentError, CommsError, CommsSettingsError

if TYPE_CHECKING:
    from airflow_provider_comms.comms.sending.results import Accepted


class Outcome(StrEnum):
    """What the end of a POST means."""

    ACCEPTED = "accepted"
    """Go on with the next."""
    UNTRACKED = "accepted, but its operation is not known"
    """Never send it again; look its operation up."""
    NOT_SENT = "not processed"
    """An ordinary failure: it may be sent again."""
    BUSY = "503, which Twilio says to send again"
    """Look it up; where it is not found, the next try may send it again."""
    REFUSED = "refused"
    """It would be refused again."""
    UNKNOWN = "unknown"
    """It may have been accepted: look it up, and never send it again unless asked to."""


_MAYBE_PROCESSED = {
    HTTPStatus.SEE_OTHER,  # "Done; the answer is over there", from whoever answers so.
    HTTPStatus.NOT_MODIFIED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_EARLY,
    499,  # nginx: the client, which may be the next proxy, has hung up.
}
"""Statuses below 500 that do not say whether the request was processed."""


def outcome_of(end: Accepted | BaseException) -> Outcome:
    """
    Judge the end of a POST.

    :param end: what the client returned or raised, whatever that is: an interrupt too.
    """
    if not isinstance(end, BaseException):
        return Outcome.ACCEPTED if end.operation_id else Outcome.UNTRACKED
    if isinstance(end, (CommsArgumentError, CommsSettingsError)):
        return Outcome.REFUSED
    if not isinstance(end, CommsError):
        return Outcome.UNKNOWN
    if end.context.sent is False:
        return Outcome.NOT_SENT
    return _outcome_of_status(end.context.status, is_comms_error=bool(end.context.is_comms_error))


def _outcome_of_status(status: int | None, *, is_comms_error: bool) -> Outcome:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome.NOT_SENT
    if status == HTTPStatus.SERVICE_UNAVAILABLE and is_comms_error:
        return Outcome.BUSY
    is_refusal = status is not None and HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Outcome.REFUSED if is_refusal and status not in _MAYBE_PROCESSED else Outcome.UNKNOWN

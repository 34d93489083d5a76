"""What a send says to people: log lines and errors, the news first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.exceptions import CommsSendChanged, CommsSendUnknown, CommsSendUntracked
from airflow_provider_comms.reports.words import counted
from airflow_provider_comms.sending.keys import send_tag
from airflow_provider_comms.sending.once import first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.sending.once import Changed, Sent, Unknown


@dataclass(frozen=True, kw_only=True)
class Place:
    """
    Which request of a send it is about.

    :param number: of the request, from 1.
    :param count: of requests in all.
    :param recipients: of this request.
    :param before: requests that were accepted before it.
    :param recipients_before: of these.
    """

    resource: Resource
    conn_id: str
    digest: str
    number: int
    count: int
    recipients: int
    before: int
    recipients_before: int

    def __str__(self) -> str:
        return f"chunk {self.number:,} of {self.count:,} ({counted(self.recipients, 'recipient')})"

    @property
    def accepted_before(self) -> str:
        """What was accepted before, as a sentence; nothing if there is but one request."""
        if self.count == 1:
            return ""
        before = f"{counted(self.before, 'chunk')}, {counted(self.recipients_before, 'recipient')}"
        return f"Accepted before: {before}."

    @property
    def find_command(self) -> str:
        """The command that looks for it."""
        return f"airflow comms find {self.resource.value} --tag {send_tag(self.digest)} --conn-id {self.conn_id}"


NOTHING_SENT = (
    "This run has sent nothing: all of it was sent before under the same send_key. If each run is to send, let the key "
    "name the run, such as send_key='newsletter {{ ds }}'."
)


def sent_line(sent: Sent, place: Place) -> str:
    """Return the log's line for a request that was accepted."""
    did = "Accepted before, not sent again" if sent.is_adopted else "Accepted"
    ids = ", ".join(sent.operation_ids) or "not known"
    return f"{did}: {place}; operation {ids}"


def unknown_error(end: Unknown, place: Place) -> CommsSendUnknown:
    """Return the error of a send whose outcome is unknown."""
    times = f'sent {end.posts:,} times, as on_unknown="resend" says' if end.posts > 1 else "not sent again"
    news = f"It is not known whether {place} was accepted. It was {times}; nothing was sent after it."
    return CommsSendUnknown("\n  ".join([news, *_unknown_lines(end, place)]))


def interrupted_note(unknown: Unknown, place: Place) -> str:
    """Return what there is to say of a task that is interrupted while a request is on its way."""
    news = f"The task was interrupted: it is not known whether {place} was accepted. Its next try looks for it first."
    return "\n  ".join([news, *_unknown_lines(unknown, place)])


def stopped_error(unknown: Unknown | None, place: Place) -> AirflowException:
    """Return the error of a task that is being killed."""
    before = f"The task was stopped; {place.before:,} of {place.count:,} chunks were accepted."
    if unknown is None:
        return AirflowException(f"{before} Its next try continues from there.")
    news = f"{before} It is not known whether {place} was. The next try looks for it first."
    return AirflowException("\n  ".join([news, *_unknown_lines(unknown, place)]))


def _unknown_lines(end: Unknown, place: Place) -> list[str]:
    request_id = end.error.context.request_id if isinstance(end.error, CommsError) else None
    again = "chunks that were accepted are not repeated, this one is" if place.count > 1 else "it is sent once more"
    lines = [
        f"sent: {_window(end.since, end.until)}" + (f"; request id {request_id}" if request_id else ""),
        f"tag: {send_tag(place.digest)}",
        place.accepted_before,
        _cause(end),
        f"could not look for it: {first_line(end.look_up_error)}" if end.look_up_error else "",
        f"find out: {place.find_command}",
        "if it was accepted: clear the task; it adopts what it finds and continues",
        f'if it was not: set on_unknown="resend" and clear the task: {again}',
        f"or run again with send_key=<new>, to send {'all of it' if place.count > 1 else 'it'} anyway",
    ]
    return list(filter(None, lines))


def _cause(end: Unknown) -> str:
    if end.error:
        return f"error: {first_line(end.error)}"
    return "" if end.posts else "An earlier try may have sent it; see its log."


def changed_error(end: Changed, place: Place, *, is_first_try: bool) -> CommsSendChanged:
    """Return the error of a send whose recipients or content are no longer those that were sent."""
    ids = ", ".join(end.operation_ids) or "not known"
    when = "since an earlier run under this send key" if is_first_try else "between attempts"
    news = (
        f"Recipients or text changed {when}: {place} was accepted before, and what was sent then is not what would be "
        "sent now. It was not sent again."
    )
    lines = [
        news,
        f"operation of the earlier send: {ids}",
        f"tag: {send_tag(place.digest)}",
        place.accepted_before if place.before else "",
        f"find out: {place.find_command}",
        "the order of the recipients counts too: a query needs its ORDER BY",
        "if every run is to send: let send_key name the run, as in newsletter-{{ ds }}" if is_first_try else "",
        "to adopt it: restore what was sent, such as the file of recipients, and clear the task",
        "to send what there is now: run again with send_key=<new>, and leave out those who already have it",
    ]
    return CommsSendChanged("\n  ".join(filter(None, lines)))


def untracked_error(untracked: Sequence[tuple[Place, Sent]]) -> CommsSendUntracked:
    """Return the error of a send that was accepted whole, but whose operations are not all known."""
    places = [place for place, _ in untracked]
    why = next((sent.look_up_error for _, sent in untracked if sent.look_up_error), None)
    which = ", ".join(f"{one.number:,}" for one in places[:_MOST_SHOWN])
    more = f" and {len(places) - _MOST_SHOWN:,} more" if len(places) > _MOST_SHOWN else ""
    news = f"Everything was accepted, but the operation of chunk {which}{more} of {places[0].count:,} is not known."
    lines = [
        f"{news} Do not send it again.",
        f"tag: {send_tag(places[0].digest)}",
        f"could not look for it: {first_line(why)}" if why else "",
        f"find out: {places[0].find_command}",
        "then: clear the task; it adopts what it finds and sends nothing",
        "or take the operation from Twilio's console, and wait for it with CommsOperationSensor",
    ]
    return CommsSendUntracked("\n  ".join(filter(None, lines)))


def with_place(error: CommsError, place: Place, rows: str, *, is_remembered: bool) -> CommsError:
    """
    Return the error of a request that was not sent or refused, with where that was.

    :param is_remembered: whether the next try knows what this one did.
    """
    where = f"This was {place}." if place.count > 1 else ""
    message = " ".join(filter(None, (error.message, where, place.accepted_before, rows)))
    return type(error)(message, error.context, error.advice if is_remembered else f"{error.advice} {_FORGOTTEN}")


_FORGOTTEN = (
    "Airflow before 3.3 does not tell the next try that it was not sent: a retry looks for it for confirm_for, and "
    'fails with CommsSendUnknown if it is not there. To send it then, set on_unknown="resend" and clear the task.'
)
_MOST_SHOWN = 10


def _window(since: datetime | None, until: datetime) -> str:
    end = f"{until:%Y-%m-%d %H:%M:%S} UTC"
    return f"between {since:%Y-%m-%d %H:%M:%S} and {end}" if since else f"before {end}"

"""A send on a worker, from its plan to the ids of its operations."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.sending.keys import send_digest
from airflow_provider_comms.sending.once import Changed, SendOnce, Sent, Stopped, Unknown
from airflow_provider_comms.sending.plan import rows_note
from airflow_provider_comms.tasks.send_report import (
    NOTHING_SENT,
    Place,
    changed_error,
    interrupted_note,
    sent_line,
    stopped_error,
    unknown_error,
    untracked_error,
    with_place,
)

if TYPE_CHECKING:
    import logging
    from datetime import datetime

    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.sending.requests import Send
    from airflow_provider_comms.comms.sending.results import Accepted, Sighting
    from airflow_provider_comms.sending.once import End, Journal, Rules
    from airflow_provider_comms.sending.plan import Plan


@dataclass(frozen=True)
class ClientApi:
    """What is asked of the Comms API, over a client."""

    client: CommsClient
    resource: Resource

    def post(self, request: Send) -> Accepted:
        """Send."""
        send: Any = self.client.send_emails if self.resource is Resource.EMAILS else self.client.send_messages
        accepted: Accepted = send(request)
        return accepted

    def find(self, tag: str, since: datetime | None) -> Sighting:
        """Look for what was accepted under a tag."""
        return self.client.find_sends(self.resource.value, tag, since)


@dataclass(kw_only=True)
class ChunkSender:
    """
    Sends the requests of a plan, one after the other.

    :param send_key: of the whole send.
    :param pause: seconds between two requests that are sent.
    :param stopped: set when the task is being killed; then nothing more is sent.
    """

    client: CommsClient
    conn_id: str
    resource: Resource
    journal: Journal | None
    rules: Rules
    send_key: str
    pause: float
    log: logging.Logger
    stopped: threading.Event = field(default_factory=threading.Event)

    def send(self, plan: Plan) -> list[str]:
        """
        Send, and return the ids of the operations.

        :raises CommsSendUnknown: it is not known whether a request was accepted; those after it were not sent.
        :raises CommsSendChanged: what was accepted before is not what would be sent.
        :raises CommsSendUntracked: all was accepted, but not all of the operations are known.
        :raises CommsError: a request was not sent, or refused.
        :raises AirflowException: the task was stopped.
        """
        ids: list[str] = []
        untracked: list[tuple[Place, Sent]] = []
        rules, done, adopted = self.rules, 0, 0
        for number in range(1, len(plan.chunks) + 1):
            place, sent = self._send_one(plan, number, rules, done)
            self.log.info("%s", sent_line(sent, place))
            done += place.recipients
            adopted += sent.is_adopted
            ids += sent.operation_ids
            if not sent.operation_ids:
                untracked.append((place, sent))
            if not sent.is_adopted:
                # An earlier try came no further than this.
                rules = replace(rules, is_retry=False)
                if number < len(plan.chunks):
                    self._wait(self.pause)
        if untracked:
            raise untracked_error(untracked)
        if adopted == len(plan.chunks) and not (self.rules.is_retry or self.rules.is_own_key):
            self.log.warning("%s", NOTHING_SENT)
        return ids

    def _send_one(self, plan: Plan, number: int, rules: Rules, done: int) -> tuple[Place, Sent]:
        request = plan.request(number)
        place = Place(
            resource=self.resource,
            conn_id=self.conn_id,
            digest=send_digest(self.send_key, number),
            number=number,
            count=len(plan.chunks),
            recipients=len(request.to),
            before=number - 1,
            recipients_before=done,
        )
        once = SendOnce(
            api=ClientApi(self.client, self.resource),
            journal=self.journal,
            rules=rules,
            content=plan.contents[number - 1],
            log=self.log,
            pause=self._wait,
        )
        try:
            end = self._end_of(once, request, place)
        except CommsError as error:
            rows = rows_note(error, plan.chunks, number)
            raise with_place(error, place, rows, is_remembered=self.journal is not None) from error
        match end:
            case Unknown():
                raise unknown_error(end, place) from end.error
            case Changed():
                raise changed_error(end, place, is_first_try=not self.rules.is_retry)
        return place, end

    def _end_of(self, once: SendOnce, request: Send, place: Place) -> End:
        try:
            return once.send(request, place.digest)
        except Stopped:
            raise stopped_error(once.unknown, place) from None
        except BaseException as error:
            # Airflow ends the task, perhaps in a moment: what is written down makes the next try look.
            if once.unknown and not isinstance(error, CommsError):
                note = interrupted_note(replace(once.unknown, until=once.now()), place)
                self.log.error("%s", note)  # noqa: TRY400  (Airflow logs where it was)
                error.add_note(note)
            raise

    def _wait(self, seconds: float) -> bool:
        return self.stopped.wait(seconds)

"""A send on a worker, from its plan to the ids of its operations."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.sending.keys import send_digest
from airflow_provider_comms.sending.once import Changed, SendOnce, Sent, Unknown
from airflow_provider_comms.sending.plan import rows_note
from airflow_provider_comms.tasks.send_report import (
    Place,
    changed_error,
    interrupted_note,
    sent_line,
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
    from airflow_provider_comms.sending.once import Journal, Rules
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

        :raises CommsSendUnknown: nobody knows whether a request was accepted; those after it were not sent.
        :raises CommsSendChanged: what was accepted before is not what would be sent.
        :raises CommsSendUntracked: all was accepted, but not all of the operations are known.
        :raises CommsError: a request was not sent, or refused.
        """
        once = SendOnce(
            api=ClientApi(self.client, self.resource),
            journal=self.journal,
            rules=self.rules,
            content=plan.content,
            log=self.log,
            pause=self._wait,
        )
        ids: list[str] = []
        untracked: list[tuple[Place, Sent]] = []
        done = 0
        for number in range(1, len(plan.chunks) + 1):
            place, sent = self._send_one(once, plan, number, done)
            self.log.info("%s", sent_line(sent, place))
            done += place.recipients
            ids += sent.operation_ids
            if not sent.operation_ids:
                untracked.append((place, sent))
            if not sent.is_adopted and number < len(plan.chunks):
                self._wait(self.pause)
        if untracked:
            raise untracked_error(untracked)
        return ids

    def _send_one(self, once: SendOnce, plan: Plan, number: int, done: int) -> tuple[Place, Sent]:
        if self.stopped.is_set():
            raise AirflowException(
                f"The task was stopped; {number - 1:,} of {len(plan.chunks):,} chunks were accepted. "
                "Its next try sends the others."
            )
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
        try:
            end = once.send(request, place.digest)
        except CommsError as error:
            raise with_place(error, place, rows_note(error, plan.chunks, number)) from error
        except BaseException as error:
            # Airflow ends the task, perhaps in a moment: what is written down makes the next try look.
            if once.began and not isinstance(error, Exception):
                error.add_note(interrupted_note(Unknown(once.began, once.now(), error), place))
            raise
        match end:
            case Unknown():
                raise unknown_error(end, place) from end.error
            case Changed():
                raise changed_error(end, place)
        return place, end

    def _wait(self, seconds: float) -> bool:
        return self.stopped.wait(seconds)

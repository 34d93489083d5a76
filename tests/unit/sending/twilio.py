"""A Comms API in a few lines: what was accepted, what the list shows of it and when, what each POST answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_comms.comms.errors import CommsError, CommsServerError, CommsUnreachableError, ErrorContext
from airflow_provider_comms.comms.sending.results import Accepted, Sighting
from airflow_provider_comms.sending.once import Rules, SendOnce

START = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone."""


def failure(status: int | None = None, *, sent: bool = True, is_comms_error: bool = False) -> CommsError:
    """The error of a POST."""
    context = ErrorContext(
        method="POST", status=status, sent=sent, is_comms_error=is_comms_error, request_id="RQ1", resource="emails"
    )
    return (CommsServerError if status else CommsUnreachableError)("POST failed", context)


@dataclass
class Request:
    """What is sent; a stand-in for EmailSend."""

    to: list[Any]
    tags: dict[str, str] = field(default_factory=dict)

    def with_tags(self, tags):
        return Request(self.to, tags)


@dataclass
class Answer:
    """
    What a POST does.

    :param accepts: whether it is accepted, whatever is answered.
    :param raises: what the client raises.
    :param has_id: whether the answer names the operation.
    """

    accepts: bool = True
    raises: BaseException | None = None
    has_id: bool = True


@dataclass
class Twilio:
    """The API, and the clock."""

    answers: list[Answer] = field(default_factory=list)
    lag: float = 0.0
    look_up_error: CommsError | None = None
    names_operations: bool = True
    time: float = 0.0
    accepted: list[tuple[float, str, dict[str, str], tuple[Any, ...]]] = field(default_factory=list)
    posts: int = 0
    finds: int = 0

    def post(self, request):
        self.posts += 1
        answer = self.answers.pop(0) if self.answers else Answer()
        operation = f"comms_operation_{len(self.accepted) + 1}"
        if answer.accepts:
            self.accepted.append((self.time, operation, dict(request.tags), tuple(request.to)))
        if answer.raises:
            raise answer.raises
        return Accepted(operation if answer.has_id else None)

    def find(self, tag, since):
        self.finds += 1
        if self.look_up_error:
            return Sighting(None, error=self.look_up_error)
        name, value = tag.split(":")
        begin = (since - START).total_seconds() if since else 0.0
        listed = [one for one in self.accepted if begin <= one[0] <= self.time - self.lag]
        hits = [one for one in listed if one[2].get(name) == value]
        ids = tuple(one[1] for one in hits) if self.names_operations else ()
        return Sighting(bool(hits), ids, hits[0][2] if hits else {})

    def sleep(self, seconds):
        self.time += seconds

    def now(self):
        return START + timedelta(seconds=self.time)


class Store(dict):
    """A journal."""

    def read(self, digest):
        return self.get(digest)

    def write(self, digest, record):
        self[digest] = record

    def forget(self, digest):
        self.pop(digest, None)


def once(twilio: Twilio, journal: Store | None = None, content: str = "c1", **rules: Any) -> SendOnce:
    """Return what sends one request of it."""
    return SendOnce(
        api=twilio,
        journal=journal,
        rules=Rules(**{"confirm_for": 60.0, **rules}),
        content=content,
        log=logging.getLogger(__name__),
        pause=twilio.sleep,
        clock=lambda: twilio.time,
        now=twilio.now,
    )

"""
One request, sent once.

Before it is sent it is written down, and looked for where it may have been sent before; after it, what its end means
is judged by `outcome`. Whoever uses this gives it the API, a journal and a clock.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from time import monotonic, sleep
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.sending.keys import BODY_TAG, own_tags, send_tag
from airflow_provider_comms.sending.outcome import Outcome, outcome_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from airflow_provider_comms.comms.sending.requests import Send
    from airflow_provider_comms.comms.sending.results import Accepted, Sighting

OnUnknown = Literal["fail", "resend"]
MAX_POSTS = 3
"""Times that a request may be sent, where it may be sent again."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between two look-ups; the last one again and again."""
CLOCK_SKEW = timedelta(minutes=10)
"""By which Twilio's clock and this machine's may differ."""


class Api(Protocol):
    """What is asked of the Comms API."""

    def post(self, request: Send) -> Accepted:
        """Send; raises CommsError."""

    def find(self, tag: str, since: datetime | None) -> Sighting:
        """Look for what was accepted under a tag."""


class Record(TypedDict):
    """What is written of a request: its state, a digest of its content, since when it has it, and its operations."""

    state: str
    content: str
    at: str
    operations: list[str]


class Journal(Protocol):
    """What outlives a try of the task."""

    def read(self, digest: str) -> Record | None:
        """Return what was written of a request."""

    def write(self, digest: str, record: Record) -> None:
        """Write it, before this returns."""

    def forget(self, digest: str) -> None:
        """Delete it."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """
    How careful a send is.

    :param on_unknown: what is done with a request if it is not known whether it was accepted.
    :param confirm_for: seconds for which it is looked for.
    :param look_before: whether a first try looks too.
    :param is_retry: whether there were tries before this one.
    :param is_own_key: whether nobody but this task instance uses its send key.
    """

    on_unknown: OnUnknown = "fail"
    confirm_for: float = 120.0
    look_before: bool = True
    is_retry: bool = False
    is_own_key: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """
    The request was accepted.

    :param operation_ids: of its operation; of several, if it was accepted several times; empty if not known.
    :param is_adopted: whether an earlier request was found instead of sending one.
    :param look_up_error: why its operation could not be looked for.
    """

    operation_ids: tuple[str, ...]
    is_adopted: bool = False
    look_up_error: CommsError | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """
    It is not known whether the request was accepted.

    :param since: when it was sent, or an earlier try may have sent it; None if that is not known.
    :param until: when it was last looked for.
    :param error: of the request; None if an earlier try sent it.
    :param look_up_error: why it could not be looked for.
    :param posts: how often this try sent it.
    """

    since: datetime | None
    until: datetime
    error: Exception | None = None
    look_up_error: CommsError | None = None
    posts: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """A request was accepted under this key, and it held something else."""

    operation_ids: tuple[str, ...] = ()


End = Sent | Unknown | Changed


class Stopped(Exception):  # noqa: N818  (it is no error)
    """The task is being stopped: a look-up that was cut short is no answer, so nothing more is sent."""


@dataclass(kw_only=True)
class SendOnce:
    """
    Sends a request once.

    :param api: the Comms API.
    :param journal: None if there is none; then what an earlier try did is not known.
    :param rules: how careful it is.
    :param content: digest of what is sent.
    :param log: the task's own.
    :param pause: waits for some seconds; returns whether the task is being stopped.
    """

    api: Api
    journal: Journal | None
    rules: Rules
    content: str
    log: logging.Logger
    pause: Callable[[float], bool | None] = sleep
    clock: Callable[[], float] = monotonic
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    unknown: Unknown | None = field(default=None, init=False)
    """The outcome that is unknown while it sends and looks: what remains if it is interrupted."""

    def send(self, request: Send, digest: str) -> End:
        """
        Send a request, or adopt what was sent before.

        :param digest: of the send key and the number of the request.
        :raises CommsError: it was not sent, or refused.
        :raises Stopped: the task is being stopped.
        """
        record = self.journal.read(digest) if self.journal else None
        if record and record["state"] == SENT:
            return self._recorded(record, digest)
        if record or (self.journal is None and self.rules.is_retry):
            return self._resolve(request, digest, record)
        if (self.rules.look_before or self.rules.is_retry) and (end := self._look_before(digest)):
            return end
        return self._post(request, digest, None, self.now())

    def _recorded(self, record: Record, digest: str) -> End:
        ids = tuple(record.get("operations") or ())
        if record.get("content") != self.content:
            return Changed(ids)
        return Sent(ids, is_adopted=True) if ids else self._track(digest, _moment(record), is_adopted=True)

    def _look_before(self, digest: str) -> End | None:
        sighting = self.api.find(send_tag(digest), None)
        if sighting.found:
            return self._adopt(sighting, digest, None)
        if sighting.found is None and sighting.error:
            if self.rules.is_retry or not self.rules.is_own_key:
                raise sighting.error
            self.log.warning("Could not look for an earlier send; this is the first try: %s", sighting.error.message)
        return None

    def _resolve(self, request: Send, digest: str, record: Record | None) -> End:
        """Find out about an earlier try that may have sent."""
        state, since = (record["state"] if record else SENDING), _moment(record)
        self.log.warning("An earlier try may have sent this request; looking for it.")
        self.unknown = Unknown(since, self.now())
        sighting = self._look(digest, since, _is_found)
        if sighting.found:
            return self._adopt(sighting, digest, since)
        if self._may_resend(state, sighting):
            self.log.warning("%s; sending it again.", _absence(sighting))
            return self._post(request, digest, state, since)
        return replace(self.unknown, until=self.now(), look_up_error=sighting.error)

    def _may_resend(self, state: str, sighting: Sighting) -> bool:
        return self.rules.on_unknown == "resend" or (state == BUSY and sighting.found is False)

    def _post(self, request: Send, digest: str, state: str | None, since: datetime | None) -> End:
        """
        Send, until it is known whether it was accepted; more than once only if the rules say so.

        :param state: of its record, as an earlier try left it; None if none has sent it.
        :param since: when it was first sent.
        """
        tagged = request.with_tags({**request.tags, **own_tags(digest, self.content)})
        if self.pause(0):
            raise Stopped
        for posts in range(1, MAX_POSTS + 1):
            self._write(digest, SENDING, since)
            self.unknown = Unknown(since, self.now(), posts=posts)
            end = self._try_post(tagged, digest, state, since)
            if not isinstance(end, Exception):
                return self._note_accepted(end, digest, since)
            self.unknown = unknown = Unknown(since, self.now(), end, posts=posts)
            sighting = self._look(digest, since, _is_found)
            if sighting.found:
                return self._adopt(sighting, digest, since)
            is_busy = state != SENDING and outcome_of(end) is Outcome.BUSY and sighting.found is False
            state = BUSY if is_busy else SENDING
            if posts == MAX_POSTS or self.rules.on_unknown != "resend":
                break
            self.log.warning("%s; sending it again (%d of %d).", _absence(sighting), posts + 1, MAX_POSTS)
        if state == BUSY and isinstance(end, CommsError):
            self._write(digest, BUSY, since)
            raise type(end)(end.message, end.context, SEND_AGAIN) from end
        return replace(unknown, until=self.now(), look_up_error=sighting.error)

    def _try_post(self, tagged: Send, digest: str, state: str | None, since: datetime | None) -> Accepted | Exception:
        """Return the end of a POST, if it was sent or may have been."""
        try:
            return self.api.post(tagged)
        except Exception as error:
            if outcome_of(error) in {Outcome.NOT_SENT, Outcome.REFUSED}:
                self._take_back(digest, state, since)
                raise
            self.log.warning("It is not known whether the request was accepted; looking for it: %s", first_line(error))
            return error

    def _note_accepted(self, accepted: Accepted, digest: str, since: datetime | None) -> End:
        ids = (accepted.operation_id,) if accepted.operation_id else ()
        self._write(digest, SENT, since, ids)
        return Sent(ids) if ids else self._track(digest, since)

    def _adopt(self, sighting: Sighting, digest: str, since: datetime | None) -> End:
        ids = tuple(sighting.operation_ids)
        if sighting.tags.get(BODY_TAG) != self.content:
            return Changed(ids)
        if len(ids) > 1:
            self.log.warning("This request was accepted %d times.", len(ids))
        self._write(digest, SENT, since, ids)
        return Sent(ids, is_adopted=True) if ids else self._track(digest, since, is_adopted=True)

    def _track(self, digest: str, since: datetime | None, *, is_adopted: bool = False) -> Sent:
        """Find the operation of a request that was accepted."""
        self.unknown = None
        self.log.warning("The request was accepted; looking for its operation.")
        sighting = self._look(digest, since, lambda found: bool(found.operation_ids))
        ids = tuple(sighting.operation_ids)
        if ids:
            self._write(digest, SENT, since, ids)
        return Sent(ids, is_adopted, None if ids else sighting.error)

    def _look(self, digest: str, since: datetime | None, is_enough: Callable[[Sighting], bool]) -> Sighting:
        """
        Look until it is enough, or `confirm_for` has passed; return what was seen last.

        :raises Stopped: before that.
        """
        deadline = self.clock() + self.rules.confirm_for
        start = since - CLOCK_SKEW if since else None
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            sighting = self.api.find(send_tag(digest), start)
            left = deadline - self.clock()
            if is_enough(sighting):
                return sighting
            if self.pause(max(0.0, min(pause, left))):
                raise Stopped
            if left <= 0:
                return sighting
        raise AssertionError  # The pauses do not end.

    def _write(self, digest: str, state: str, since: datetime | None, ids: tuple[str, ...] = ()) -> None:
        if self.journal is None:
            return
        at = since or self.now()
        record: Record = {
            "state": state,
            "content": self.content,
            "at": at.isoformat(timespec="seconds"),
            "operations": list(ids),
        }
        try:
            self.journal.write(digest, record)
        except Exception as error:
            if state == SENDING:
                raise  # Nothing was sent.
            self.log.warning("Could not store the outcome: %s", type(error).__name__)

    def _take_back(self, digest: str, state: str | None, since: datetime | None) -> None:
        """Note that it was not sent this time. Where that fails, the next try looks for it: a nuisance, not a harm."""
        if self.journal is None:
            return
        with suppress(Exception):
            if state is None:
                self.journal.forget(digest)
            else:
                self._write(digest, state, since)


SENDING, BUSY, SENT = "sending", "busy", "sent"
"""States of a record: it may have been accepted; Twilio says that it was not; it was."""
SEND_AGAIN = (
    "Twilio says to send such a request again. It was looked for and not found. The next try of the task looks for it "
    "once more, and sends it if it is not found."
)


def _is_found(sighting: Sighting) -> bool:
    return sighting.found is True


def _absence(sighting: Sighting) -> str:
    return "It was not found" if sighting.found is False else "It could not be looked for"


def _moment(record: Record | None) -> datetime | None:
    return datetime.fromisoformat(record["at"]) if record and record.get("at") else None


def first_line(error: BaseException) -> str:
    """Return the first line of an error, or its type where it says nothing."""
    return (str(error).splitlines() or [""])[0] or type(error).__name__

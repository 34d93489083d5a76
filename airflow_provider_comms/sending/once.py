"""
One request, sent once.

Before it is sent it is written down, and looked for where it may have been sent before; after it, what its end means
is judged by `outcome`. Whoever uses this gives it the API, a journal and a clock.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Literal, Protocol

from airflow_provider_comms.comms.errors import CommsError, CommsServerError
from airflow_provider_comms.sending.keys import BODY_TAG, own_tags, send_tag
from airflow_provider_comms.sending.outcome import Outcome, outcome_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

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


class Journal(Protocol):
    """What outlives a try of the task."""

    def read(self, digest: str) -> Mapping[str, Any] | None:
        """Return what was written of a request."""

    def write(self, digest: str, record: dict[str, Any]) -> None:
        """Write it, before this returns."""

    def forget(self, digest: str) -> None:
        """Delete it."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """
    How careful a send is.

    :param on_unknown: what is done with a request of which nobody knows whether it was accepted.
    :param confirm_for: seconds in which it is looked for, before nobody knows.
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
    Nobody knows whether the request was accepted.

    :param since: when it was sent, or an earlier try may have sent it; None if that is not known.
    :param until: when it was last looked for.
    :param error: of the request; None if an earlier try sent it.
    :param look_up_error: why it could not be looked for.
    :param posts: how often this try sent it.
    """

    since: datetime | None
    until: datetime
    error: BaseException | None = None
    look_up_error: CommsError | None = None
    posts: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """A request was accepted under this key, and it held something else."""

    operation_ids: tuple[str, ...] = ()


End = Sent | Unknown | Changed


@dataclass(kw_only=True)
class SendOnce:
    """
    Sends a request once.

    :param api: the Comms API.
    :param journal: None if there is none; then what an earlier try did is not known.
    :param rules: how careful it is.
    :param content: digest of the whole send.
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
    began: datetime | None = field(default=None, init=False)
    """When it sent a request of which it does not know yet whether it was accepted: what an interrupt leaves open."""

    def send(self, request: Send, digest: str) -> End:
        """
        Send a request, or adopt what was sent before.

        :param digest: of the send key and the number of the request.
        :raises CommsError: it was not sent, or refused.
        """
        record = self.journal.read(digest) if self.journal else None
        if record and record.get("state") == "sent":
            return self._recorded(record, digest)
        if record or (self.journal is None and self.rules.is_retry):
            return self._resolve(request, digest, record)
        if (self.rules.look_before or self.rules.is_retry) and (end := self._look_before(digest)):
            return end
        return self._post(request, digest)

    def _recorded(self, record: Mapping[str, Any], digest: str) -> End:
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

    def _resolve(self, request: Send, digest: str, record: Mapping[str, Any] | None) -> End:
        """Find out about an earlier try that may have sent."""
        since = _moment(record)
        self.log.warning("An earlier try may have sent this request; looking for it.")
        sighting = self._look(digest, since, lambda found: found.found is True)
        if sighting.found:
            return self._adopt(sighting, digest, since)
        if not self._may_send_again(sighting, is_busy=record is not None and record["state"] == "busy"):
            return Unknown(since, self.now(), None, sighting.error)
        self.log.warning("It was not found; sending it again.")
        return self._post(request, digest)

    def _may_send_again(self, sighting: Sighting, *, is_busy: bool) -> bool:
        """Whether a request that was not found is sent again: never by a task that is being stopped."""
        is_absent = is_busy and sighting.found is False
        return (is_absent or self.rules.on_unknown == "resend") and not self.pause(0)

    def _post(self, request: Send, digest: str) -> End:
        tagged = request.with_tags({**request.tags, **own_tags(digest, self.content)})
        began = self.now()
        for number in range(1, MAX_POSTS + 1):
            self._write(digest, "sending", ())
            self.began = began
            end = self._try_post(tagged, digest)
            if not isinstance(end, Exception):
                return self._note_accepted(end, digest, began)
            error = end
            sighting = self._look(digest, began, lambda found: found.found is True)
            if sighting.found:
                return self._adopt(sighting, digest, began)
            is_busy = outcome_of(error) is Outcome.BUSY
            if number == MAX_POSTS or not self._may_send_again(sighting, is_busy=is_busy):
                break
            self.log.warning("Sending again (%d of %d): %s", number + 1, MAX_POSTS, _first_line(error))
        self.began = None
        if is_busy and isinstance(error, CommsError) and sighting.found is False and not self.pause(0):
            # The next try may send it, but only after it has looked as long as this one.
            self._write(digest, "busy", ())
            raise CommsServerError(_first_line(error), error.context, BUSY) from error
        return Unknown(began, self.now(), error, sighting.error, number)

    def _try_post(self, tagged: Send, digest: str) -> Accepted | Exception:
        """Return the end of a POST, if it was sent or may have been."""
        try:
            return self.api.post(tagged)
        except Exception as error:
            if outcome_of(error) in {Outcome.NOT_SENT, Outcome.REFUSED}:
                self.began = None
                self._forget(digest)
                raise
            self.log.warning("It is not known whether the request was accepted; looking for it: %s", _first_line(error))
            return error

    def _note_accepted(self, accepted: Accepted, digest: str, began: datetime) -> End:
        ids = (accepted.operation_id,) if accepted.operation_id else ()
        self.began = None
        self._write(digest, "sent", ids)
        return Sent(ids) if ids else self._track(digest, began)

    def _adopt(self, sighting: Sighting, digest: str, since: datetime | None) -> End:
        self.began = None
        ids = tuple(sighting.operation_ids)
        if sighting.tags.get(BODY_TAG) != self.content:
            return Changed(ids)
        if len(ids) > 1:
            self.log.warning("This request was accepted %d times.", len(ids))
        self._write(digest, "sent", ids)
        return Sent(ids, is_adopted=True) if ids else self._track(digest, since, is_adopted=True)

    def _track(self, digest: str, since: datetime | None, *, is_adopted: bool = False) -> Sent:
        """Find the operation of a request that was accepted."""
        self.log.warning("The request was accepted; looking for its operation.")
        sighting = self._look(digest, since, lambda found: bool(found.operation_ids))
        if not sighting.operation_ids:
            return Sent((), is_adopted, sighting.error)
        self._write(digest, "sent", tuple(sighting.operation_ids))
        return Sent(tuple(sighting.operation_ids), is_adopted)

    def _look(self, digest: str, since: datetime | None, is_enough: Callable[[Sighting], bool]) -> Sighting:
        """Look until it is enough, or `confirm_for` has passed; return what was seen last."""
        deadline = self.clock() + self.rules.confirm_for
        start = since - CLOCK_SKEW if since else None
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            sighting = self.api.find(send_tag(digest), start)
            left = deadline - self.clock()
            if is_enough(sighting) or left <= 0 or self.pause(min(pause, left)):
                return sighting
        raise AssertionError  # The pauses do not end.

    def _write(self, digest: str, state: str, ids: tuple[str, ...]) -> None:
        if self.journal is None:
            return
        record = {
            "state": state,
            "content": self.content,
            "at": self.now().isoformat(timespec="seconds"),
            "operations": list(ids),
        }
        try:
            self.journal.write(digest, record)
        except Exception as error:
            if state == "sending":
                raise  # Nothing was sent.
            self.log.warning("Could not write down that it was accepted: %s", type(error).__name__)

    def _forget(self, digest: str) -> None:
        """Note that it was not sent. Where that fails, the next try looks for it: a nuisance, not a harm."""
        if self.journal is not None:
            with suppress(Exception):
                self.journal.forget(digest)


BUSY = (
    "Twilio says of this error that it is to be sent again. It was looked for, and not found. The next try of the task "
    "looks for it, and sends it if it is not found."
)


def _moment(record: Mapping[str, Any] | None) -> datetime | None:
    return datetime.fromisoformat(record["at"]) if record and record.get("at") else None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__

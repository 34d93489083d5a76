"""A send as a whole, before its first request: who gets it, in which requests, all of them checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.reports.words import counted
from airflow_provider_comms.sending.chunks import MAX_BODY, MAX_CHUNK, Chunks
from airflow_provider_comms.sending.keys import content_digests
from airflow_provider_comms.sending.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import ExitStack

    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.sending.requests import Send
    from airflow_provider_comms.sending.allow_list import AllowList
    from airflow_provider_comms.sending.recipients import Recipient

    class Build(Protocol):
        """Makes the request of some recipients."""

        def __call__(self, *, to: Sequence[Mapping[str, object]]) -> Send:
            """Raises CommsArgumentError."""


_OWN_TAGS = 200
"""Bytes that our own tags may add to a request."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """
    Safety belts of a send.

    :param chunk_size: recipients of a request at most.
    :param max_recipients: of the whole send; None for any number.
    :param allowed: who may be sent to; None for everybody.
    :param deduplicate: whether a recipient who is given twice gets it once.
    """

    chunk_size: int = MAX_CHUNK
    max_recipients: int | None = None
    allowed: AllowList | None = None
    deduplicate: bool = True


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    What will be sent.

    :param chunks: the recipients of each request.
    :param contents: of each request, the digest of what is sent up to it.
    :param duplicates: recipients that were left out, because they were there before.
    :param warnings: what is allowed and may not be meant.
    """

    chunks: Chunks
    build: Build = field(repr=False)
    contents: Sequence[str]
    duplicates: int
    warnings: Sequence[str]

    def request(self, chunk: int) -> Send:
        """Return a request, without our tags."""
        return _built(self.build, self.chunks, chunk)


def plan(build: Build, recipients: Iterable[Recipient], limits: Limits, stack: ExitStack) -> Plan | None:
    """
    Read all recipients, cut them into requests and check each, keeping one request in memory at a time.

    :param build: makes the request of some recipients, and refuses what cannot be sent.
    :param stack: on which the files of the plan are closed.
    :return: None if there is no recipient.
    :raises CommsArgumentError: something cannot be sent; names rows of what was given, never a recipient.
    """
    admission = _Admission(limits, stack.enter_context(Seen()) if limits.deduplicate else None)
    admitted = admission.admit(recipients)
    first = next(admitted, None)
    if first is None:
        admission.check_allowed()
        return None
    # What is wrong with the content is told before a million rows are read.
    probe = build(to=[first.fields])
    room = MAX_BODY - (len(probe.body()) - len(first.as_json())) - _OWN_TAGS
    chunks = stack.enter_context(Chunks(limits.chunk_size, room))
    chunks.fill(chain([first], admitted))
    admission.check_allowed()
    numbers = range(1, len(chunks) + 1)
    contents = tuple(content_digests(_built(build, chunks, number).body() for number in numbers))
    return Plan(
        chunks=chunks, build=build, contents=contents, duplicates=admission.duplicates, warnings=tuple(probe.warnings)
    )


@dataclass
class _Admission:
    limits: Limits
    seen: Seen | None
    count: int = 0
    duplicates: int = 0
    refused: int = 0
    first_refused: int = 0

    def admit(self, recipients: Iterable[Recipient]) -> Iterator[Recipient]:
        for one in recipients:
            if self.seen and not self.seen.add(one.identity):
                self.duplicates += 1
            elif self._is_allowed(one):
                self._count()
                yield one

    def _is_allowed(self, recipient: Recipient) -> bool:
        if self.limits.allowed is None or self.limits.allowed.admits(recipient):
            return True
        self.refused += 1
        self.first_refused = self.first_refused or recipient.row
        return False

    def _count(self) -> None:
        self.count += 1
        if self.limits.max_recipients is not None and self.count > self.limits.max_recipients:
            raise CommsArgumentError(
                f"There are more than max_recipients={self.limits.max_recipients:,} recipients. Nothing was sent.",
                advice="Check where they come from; raise max_recipients if they are meant.",
            )

    def check_allowed(self) -> None:
        if self.refused:
            raise CommsArgumentError(
                f"Not on the list allow_recipients: {counted(self.refused, 'recipient')}, the first in row "
                f"{self.first_refused:,}. Nothing was sent.",
                advice="Add them to allow_recipients, or leave that out to send to everybody.",
            )


def _built(build: Build, chunks: Chunks, chunk: int) -> Send:
    try:
        return build(to=chunks.recipients_of(chunk))
    except CommsArgumentError as error:
        message = f"{error.message} {rows_note(error, chunks, chunk)}".rstrip()
        raise CommsArgumentError(message, error.context, error.advice) from None


def rows_note(error: CommsError, chunks: Chunks, chunk: int) -> str:
    """Say which rows of what was given an error is about, which counts within its request; nothing if about none."""
    positions = [one.row for one in error.context.errors if one.row is not None][:_MAX_ROWS]
    rows = ", ".join(f"{row:,}" for row in chunks.rows_of(chunk, positions))
    return f"In what was given: row {rows}." if rows else ""


_MAX_ROWS = 10

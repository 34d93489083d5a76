"""The requests that a send is cut into: their recipients wait on the disk, in a fixed order, until their turn."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.sending.checks import MAX_RECIPIENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_comms.sending.recipients import Recipient

MAX_CHUNK = MAX_RECIPIENTS
MAX_BODY = 4_500_000
"""Bytes of a request; Twilio takes 5 MB, and this leaves room for what it may count differently."""
_MEMORY = 1_000_000
"""Bytes that are kept in memory before they go to the disk."""


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int


class Chunks:
    """
    Recipients, cut into requests as they come in.

    They are kept in a file that has no name and is gone with the process, however that ends.

    :param chunk_size: recipients of a request at most.
    :param room: bytes that the recipients of a request may take.

    Use it as `with Chunks(...) as chunks:`.
    """

    def __init__(self, chunk_size: int = MAX_CHUNK, room: int = MAX_BODY) -> None:
        self.recipients = 0
        self._size, self._room = chunk_size, room
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY)  # noqa: SIM115  (closed by __exit__)
        self._places: list[_Place] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"<{self.recipients} recipients in {len(self)} requests>"

    def fill(self, recipients: Iterable[Recipient]) -> None:
        """
        Take in recipients, in their order.

        :raises CommsArgumentError: one alone is too long for a request.
        """
        start = end = count = 0
        for one in recipients:
            line = b"%d %s\n" % (one.row, one.as_json())
            if len(line) > self._room:
                raise _too_long(one)
            if count == self._size or end + len(line) - start > self._room:
                self._places.append(_Place(start, end))
                start, count = end, 0
            self._file.write(line)
            end += len(line)
            count += 1
            self.recipients += 1
        if count:
            self._places.append(_Place(start, end))

    def __iter__(self) -> Iterator[list[dict[str, object]]]:
        return map(self.recipients_of, range(1, len(self) + 1))

    def recipients_of(self, chunk: int) -> list[dict[str, object]]:
        """
        Return the recipients of a request, as the API takes them.

        :param chunk: its number, from 1.
        """
        recipients: list[dict[str, object]] = json.loads(b"[%s]" % b",".join([text for _, text in self._lines(chunk)]))
        return recipients

    def rows_of(self, chunk: int, positions: Iterable[int]) -> list[int]:
        """
        Return where recipients stand in what was given, from 1.

        :param chunk: number of the request.
        :param positions: of the recipients in it, from 1.
        """
        lines = self._lines(chunk)
        return [int(lines[position - 1][0]) for position in positions if 0 < position <= len(lines)]

    def _lines(self, chunk: int) -> list[list[bytes]]:
        place = self._places[chunk - 1]
        self._file.seek(place.start)
        return [line.split(b" ", 1) for line in self._file.read(place.end - place.start).splitlines()]


def _too_long(recipient: Recipient) -> CommsArgumentError:
    return CommsArgumentError(
        f"Recipient in row {recipient.row:,}: its variables, or the attachments, are too long for a request of 5 MB.",
        advice="Shorten them; link to what is large.",
    )

"""What of the pages a listing hands out: each operation of its window once. And what it could not read."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsArgumentError, CommsRecordError
from airflow_provider_comms.comms.listing.query import list_request
from airflow_provider_comms.comms.resource import RETENTION_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_provider_comms.comms.listing.query import Query
    from airflow_provider_comms.comms.models import Operations, Page, UnreadableRecord

log = logging.getLogger(__name__)

IDS_IN_SET = 100_000
_BUCKETS = 4096
_DIGEST_BYTES = 8
EXAMPLES = 5
"""Unreadable records that a message names."""
RETENTION = timedelta(days=RETENTION_DAYS, minutes=1)
"""A minute more than Twilio's, for who asks for exactly so many days."""


class SeenIds:
    """
    Remembers texts by their 64-bit hashes: the chance that one of a million is taken for another is 1 in 30 million.

    A set of hashes takes 65 bytes each, so the first 100,000 go into one; the others, in about 9 bytes each, into
    buckets that take ten times as long to search.

    :param in_set: how many go into the set.
    """

    def __init__(self, in_set: int = IDS_IN_SET) -> None:
        self._in_set = in_set
        self._first: set[int] = set()
        self._buckets: list[bytearray] = []

    def add(self, text: str) -> bool:
        """Note the text; return whether it is new."""
        return self._add(hash(text))

    def add_new(self, texts: Sequence[str]) -> bool:
        """Note the texts if all of them are new, which takes a fifth of the time; return whether they were."""
        values = [*map(hash, texts)]
        distinct = set(values)
        if (
            len(self._first) + len(values) > self._in_set
            or len(distinct) < len(values)
            or not self._first.isdisjoint(distinct)
        ):
            return False
        self._first |= distinct
        return True

    def _add(self, value: int) -> bool:
        if value in self._first:
            return False
        if len(self._first) < self._in_set:
            self._first.add(value)
            return True
        return self._add_to_bucket(value)

    def _add_to_bucket(self, value: int) -> bool:
        self._buckets = self._buckets or [bytearray() for _ in range(_BUCKETS)]
        bucket = self._buckets[value % _BUCKETS]
        digest = value.to_bytes(_DIGEST_BYTES, "little", signed=True)
        # Found across the border of two digests it is not there; but that is as unlikely as two equal hashes.
        if digest in bucket:
            return False
        bucket += digest
        return True


class Results:
    """
    Takes the pages of a listing, in whatever order and slices they come.

    :param query: what is listed. Of its window the start belongs to it, the end does not, whichever way the API
        reads its bounds: it is asked for more (see `list_request`), and what is outside is dropped here.
    """

    def __init__(self, query: Query) -> None:
        self._query = query
        self._seen = SeenIds()
        self._seen_unreadable = SeenIds()
        self._unreadable = 0
        self._examples: list[UnreadableRecord] = []

    def take(self, page: Page) -> Operations:
        """Return the page's operations that lie in the window and were not returned before."""
        for record in page.unreadable:
            self._note(record)
        operations = self._in_window(page.operations)
        if self._seen.add_new(operations.ids):
            return operations
        return operations.where([self._seen.add(one) for one in operations.ids])

    def _in_window(self, operations: Operations) -> Operations:
        start, end = self._query.start_date, self._query.end_date
        if start is not None:
            operations = operations.where([start <= created for created in operations.created_at])
        if end is not None:
            operations = operations.where([created < end for created in operations.created_at])
        return operations

    def _note(self, record: UnreadableRecord) -> None:
        if record.id is not None and not self._seen_unreadable.add(record.id):
            return
        self._unreadable += 1
        if len(self._examples) < EXAMPLES:
            self._examples.append(record)

    def report(self) -> None:
        """
        Say, at the end of the listing, what could not be read: one warning in the log.

        :raises CommsRecordError: in its place, where the query is strict.
        """
        if not self._unreadable:
            return
        left_out = f"{self._unreadable:,} unreadable records are not in this list of {self._query.resource} operations"
        named = " ".join(record.error.message for record in self._examples)
        context = replace(self._examples[0].error.context, operation_id=None)
        if self._query.strict:
            raise CommsRecordError(f"{left_out}. {named}", context)
        log.warning("%s. %s (%s)", left_out, named, context)


def check_retention(query: Query, now: datetime, peer: str) -> None:
    """
    Warn of a window that reaches further back than Twilio keeps operations: what is older is missing from the list.

    :param now: aware.
    :param peer: what errors call the other side.
    :raises CommsArgumentError: in place of the warning, where the query is strict.
    """
    edges = {"start_date": query.start_date, "end_date": query.end_date}
    late = [f"{name}={edge.isoformat()}" for name, edge in edges.items() if edge and edge < now - RETENTION]
    if not late:
        return
    message = (
        f"{' and '.join(late)}: Twilio keeps operations for {RETENTION_DAYS} days, so older ones are missing from "
        f"this list of {query.resource} operations."
    )
    if query.strict:
        raise CommsArgumentError(message, list_request(query).context(peer), "Use a later window, or strict=False.")
    log.warning(message)

"""A walk over the pages of a list, without the sending: what to ask next, and what of a page is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsProtocolError
from airflow_provider_comms.comms.listing.query import list_request

if TYPE_CHECKING:
    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.listing.query import Query
    from airflow_provider_comms.comms.models import Operation, Page

_BUCKETS = 4096
_DIGEST_BYTES = 8


class SeenIds:
    """
    Remembers texts in about 9 bytes each, where a set of the texts would take over 100.

    It keeps 64-bit digests: the chance that one of a million ids is taken for another is 1 in 30 million.
    """

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(_BUCKETS)]

    def add(self, text: str) -> bool:
        """Note the text; return whether it is new."""
        value = hash(text)
        digest = value.to_bytes(_DIGEST_BYTES, "little", signed=True)
        bucket = self._buckets[value % _BUCKETS]
        at = bucket.find(digest)
        while at % _DIGEST_BYTES and at >= 0:  # Found across the border of two digests: look further.
            at = bucket.find(digest, at + 1)
        if at >= 0:
            return False
        bucket += digest
        return True


class PageIterator:
    """
    One chain of pages, from the first to the one with no next.

    :param query: what to list. Its filters go with every token.
    :param seen: ids that were handed out already; chains that share it share their duplicates.
    :param peer: what errors call the other side.
    """

    def __init__(self, query: Query, seen: SeenIds, peer: str) -> None:
        self.query = query
        self.pages = 0
        self._seen = seen
        self._peer = peer
        self._tokens = SeenIds()
        self._request: Request | None = list_request(query)

    @property
    def request(self) -> Request | None:
        """What to ask next; None at the end."""
        return self._request

    def accept(self, page: Page) -> list[Operation]:
        """
        Take the answer to :attr:`request`, move on, and return what was not seen before.

        :raises CommsProtocolError: the next page's token was given before; the list would never end.
        """
        self.pages += 1
        self._request = self._following(page.next_token)
        return [operation for operation in page.operations if self._seen.add(operation.id)]

    def _following(self, token: str | None) -> Request | None:
        if token is None:
            return None
        request = list_request(self.query, token)
        if not self._tokens.add(token):
            raise CommsProtocolError(
                f"Page {self.pages} names a next page that was read before: the list goes in a circle.",
                request.context(self._peer),
                "Try a narrower window or another page_size, and report it with the time of the request.",
            )
        return request

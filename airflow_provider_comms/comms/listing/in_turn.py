"""Pages one after the other, from the first to the one that names no next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsProtocolError
from airflow_provider_comms.comms.listing.query import list_request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.listing.query import Query
    from airflow_provider_comms.comms.listing.results import Results
    from airflow_provider_comms.comms.models import Operations, Page

    GetPage = Callable[[Request], Awaitable[Page]]

MAX_EMPTY_PAGES = 100
"""Empty pages in a row that are followed. Filtered pages may be empty; a list of nothing else would never end."""


async def list_in_turn(
    query: Query, get_page: GetPage, peer: str, results: Results
) -> AsyncGenerator[Operations, None]:
    """
    List one page after the other, in the API's order.

    :param get_page: sends a request and reads the page.
    :param peer: what errors call the other side.
    :param results: says what of each page is handed out.
    """
    pages = PageIterator(query, peer)
    while (request := pages.request) is not None:
        page = await get_page(request)
        pages.consume(page)
        yield results.take(page)
        del page


class PageIterator:
    """
    One chain of pages, without the sending.

    :param query: what to list. Its filters go with every token.
    :param peer: what errors call the other side.
    """

    def __init__(self, query: Query, peer: str) -> None:
        self.query = query
        self.pages = 0
        self.request: Request | None = list_request(query)
        """What to ask next; None at the end."""
        self._peer = peer
        self._tokens: set[int] = set()
        self._empty_pages = 0

    def consume(self, page: Page) -> None:
        """
        Take the answer to :attr:`request`, and move on.

        :raises CommsProtocolError: the list would never end: the next page's token was given before, or too many pages
            were empty.
        """
        self.pages += 1
        self._empty_pages = self._empty_pages + 1 if page.is_empty else 0
        self.request = None if page.next_token is None else self._following(page.next_token)

    def _following(self, token: str) -> Request:
        request = list_request(self.query, token)
        if hash(token) in self._tokens:
            raise self._never_ends(request, f"pagination loop: page {self.pages} links to a page that was read before")
        if self._empty_pages >= MAX_EMPTY_PAGES:
            raise self._never_ends(request, f"{self._empty_pages} empty pages in a row, each with a next page")
        self._tokens.add(hash(token))
        return request

    def _never_ends(self, request: Request, why: str) -> CommsProtocolError:
        return CommsProtocolError(
            f"The list does not end: {why}.",
            request.context(self._peer),
            "Try a narrower window or another page_size; report it to Twilio's support with the time of the request.",
        )

"""Listings: the page that a query asks for, and the opaque tokens that lead from page to page."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from airflow_provider_comms.simulator.clock import EPOCH
from airflow_provider_comms.simulator.items import Item
from airflow_provider_comms.simulator.queries import Query
from airflow_provider_comms.simulator.responses import BadRequest, Problem
from airflow_provider_comms.simulator.settings import Settings
from airflow_provider_comms.simulator.store import Operation, Order, Position

#: What is listed from one position up to, without, another; of that, in an order, what follows a third one.
Between = Callable[[Position, Position, Position | None, Order], Iterator[Operation] | Iterator[Item]]

_SEAL_BYTES = 8
#: Base64 of these three bytes is ``+//+``, and what follows is padded so that every token also ends in ``==``.
_AWKWARD = b"\xfb\xff\xfe"
_MILLISECOND = timedelta(milliseconds=1)


class Filters(NamedTuple):
    """What a listing keeps: created from one time up to, without, another, a status, and whatever else."""

    begin_ms: int | None = None
    end_ms: int | None = None
    status: str | None = None
    others: tuple[tuple[str, str], ...] = ()


class Cursor(NamedTuple):
    """Where a page begins: after a position, or at the beginning, and after so many empty pages in this place."""

    after: Position | None = None
    blanks: int = 0


class Page(NamedTuple):
    """The JSON of a page's entries, and the cursor of the next page if there is one."""

    entries: list[str]
    following: Cursor | None


class Tokens:
    """Writes and reads page tokens, each sealed for one listing: its resource, filters and order as one text."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, cursor: Cursor, listing: str) -> str:
        """The token of a cursor."""
        content = json.dumps(cursor).encode()
        content += b" " * ((2 - len(content)) % 3)
        return base64.b64encode(_AWKWARD + content + self._seal(content, listing)).decode()

    def read(self, token: str, listing: str) -> Cursor | None:
        """The cursor in a token, or None where it was not written for this listing."""
        try:
            plain = base64.b64decode(token, validate=True)
        except ValueError:
            return None
        content, seal = plain[len(_AWKWARD) : -_SEAL_BYTES], plain[-_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(content, listing)):
            return None
        after, blanks = json.loads(content)
        return Cursor(after and Position(*after), blanks)

    def _seal(self, content: bytes, listing: str) -> bytes:
        return hmac.digest(self._secret, content + listing.encode(), "sha256")[:_SEAL_BYTES]


class Listing:
    """
    One request for a page.

    :param name: of what is listed, such as ``emails.operations``; the answer has the last part of it.
    :raises BadRequest: when the page token is not one of this listing.
    """

    def __init__(self, name: str, query: Query, settings: Settings, tokens: Tokens) -> None:
        self._key, self._settings, self._tokens = name.rpartition(".")[2], settings, tokens
        self.size, self.filters = query.page_size, filters_of(query, inclusive=settings.inclusive_bounds)
        self._name = repr((name, self.filters, settings.order))
        self._continued = query.page_token is not None
        self.cursor = self._cursor(query.page_token)

    def _cursor(self, token: str | None) -> Cursor:
        cursor = Cursor() if token is None else self._tokens.read(token, self._name)
        if cursor is None:
            message = "is not a token of this listing; repeat the filters it was given for"
            raise BadRequest([Problem("$.pageToken", message)])
        return cursor

    def to_json(self, between: Between, now_ms: int) -> bytes:
        """The answer's body."""
        page = make_page(between, self.filters, self.cursor, self.size, settings=self._settings, now_ms=now_ms)
        pagination = json.dumps(self._pagination(page.following))
        body = f'{{"{self._key}":[{",".join(page.entries)}],"pagination":{pagination}}}'
        return body.encode(errors="backslashreplace")

    def _pagination(self, following: Cursor | None) -> dict[str, str | None]:
        own = self._tokens.write(self.cursor, self._name)
        if self._settings.loop_tokens and self._continued:
            return {"next": own, "self": own}
        if following is not None:
            return {"next": self._tokens.write(following, self._name), "self": own}
        return {"self": own} if self._settings.omit_next else {"next": None, "self": own}


def filters_of(query: Query, *, inclusive: bool) -> Filters:
    """What a query asks for."""
    begin_ms = None if query.start_date is None else _first_ms(query.start_date, inclusive)
    end_ms = None if query.end_date is None else _first_ms(query.end_date, not inclusive)
    return Filters(begin_ms, end_ms, query.status, query.others())


def _first_ms(bound: datetime, included: bool) -> int:
    """The first whole millisecond after ``bound``, or at it if that one is included."""
    earlier, rest = divmod(bound - EPOCH, _MILLISECOND)
    return earlier if included and not rest else earlier + 1


def make_page(
    between: Between, filters: Filters, cursor: Cursor, size: int, *, settings: Settings, now_ms: int
) -> Page:
    """The page of at most ``size`` entries that a cursor points at."""
    if settings.empty_pages and filters != Filters() and not cursor.blanks:
        return Page([], cursor._replace(blanks=1))
    found = list(islice(_kept(between, filters, cursor, settings.order, now_ms), size + 1))
    held, following = found[:size], None
    if len(found) > size:
        # With `repeat_at_seam` the next page begins with the last entry of this one.
        last = held[-2] if settings.repeat_at_seam and size > 1 else held[-1]
        following = Cursor(last.position)
    elif settings.endless_pages:
        following = Cursor(held[-1].position if held else cursor.after, cursor.blanks + 1)
    return Page([entry.to_json(now_ms, in_list=True) for entry in held], following)


def _kept(between: Between, filters: Filters, cursor: Cursor, order: Order, now_ms: int) -> Iterator[Any]:
    end_ms = now_ms + 1 if filters.end_ms is None else min(now_ms + 1, filters.end_ms)
    entries = between(Position(filters.begin_ms or 0), Position(end_ms), cursor.after, order)
    return (entry for entry in entries if entry.shows(filters.status, now_ms))

"""Pages of a listing: where each begins, and the opaque tokens that say so."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_comms.simulator.identifiers import ULID_BYTES, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_comms.simulator.settings import Settings
    from airflow_provider_comms.simulator.store import Shelf

_SEAL_BYTES = 8
_BLANKS_BYTES = 4
#: Base64 of these three bytes is ``+//+``; what follows is 28 bytes long, so that every token also ends in ``==``.
_AWKWARD = b"\xfb\xff\xfe"
_OLDEST, _NEWEST = b"\x00" * ULID_BYTES, b"\xff" * ULID_BYTES


@dataclass(frozen=True, kw_only=True)
class Filters:
    """
    What a listing keeps.

    :param begin_ms: creation times from this one on, in milliseconds since 1970; None for all.
    :param end_ms: creation times up to this one, itself not included; None for all.
    :param status: operations that show this status when the page is made; None for all.
    """

    begin_ms: int | None = None
    end_ms: int | None = None
    status: str | None = None

    def any(self) -> bool:
        """Whether anything is filtered at all."""
        return self != Filters()


class Cursor(NamedTuple):
    """
    Where a page begins.

    :param ulid: the page holds what comes after this ULID in the order of the listing.
    :param blanks: how many empty pages were shown in this place already.
    """

    ulid: bytes
    blanks: int = 0


class Page(NamedTuple):
    """The JSON of a page's operations, and the cursor of the next page if there is one."""

    operations: list[bytes]
    following: Cursor | None


def first_cursor(order: str) -> Cursor:
    """The cursor of a listing's first page."""
    return Cursor(_NEWEST if order == "newest-first" else _OLDEST)


class Tokens:
    """
    Writes and reads page tokens, each bound to the listing it was made for.

    :param secret: what seals the tokens.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, cursor: Cursor, listing: str) -> str:
        """The token of a cursor within a listing (its resource, filters and order as one text)."""
        content = cursor.ulid + cursor.blanks.to_bytes(_BLANKS_BYTES, "big")
        return base64.b64encode(_AWKWARD + content + self._seal(content, listing)).decode()

    def read(self, token: str, listing: str) -> Cursor | None:
        """The cursor in a token, or None where it was not written for this listing."""
        try:
            plain = base64.b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return None
        content, seal = plain[len(_AWKWARD) : -_SEAL_BYTES], plain[-_SEAL_BYTES:]
        if len(content) != ULID_BYTES + _BLANKS_BYTES or not hmac.compare_digest(seal, self._seal(content, listing)):
            return None
        return Cursor(content[:ULID_BYTES], int.from_bytes(content[ULID_BYTES:], "big"))

    def _seal(self, content: bytes, listing: str) -> bytes:
        return hmac.digest(self._secret, content + listing.encode(), "sha256")[:_SEAL_BYTES]


def describe(resource: Resource, filters: Filters, order: str) -> str:
    """A listing as one text, for its tokens to be bound to."""
    return repr((resource, filters, order))


def make_page(shelf: Shelf, filters: Filters, cursor: Cursor, size: int, *, settings: Settings, now_ms: int) -> Page:
    """The page of at most ``size`` operations that a cursor points at."""
    if settings.empty_pages and filters.any() and not cursor.blanks:
        return Page([], Cursor(cursor.ulid, blanks=1))
    places = _places(shelf, filters, cursor, settings.order, now_ms)
    kept = shelf.listed(places)
    if filters.status is not None:
        kept = shelf.showing(filters.status, kept, now_ms)
    found = list(islice(kept, size + 1))
    held = found[:size]
    following = _following(shelf, held, settings.repeat_at_seam) if len(found) > size else None
    if following is None and settings.endless_pages:
        following = Cursor(shelf.ulid(held[-1]) if held else cursor.ulid, cursor.blanks + 1)
    return Page([shelf.show(place, now_ms, in_list=True) for place in held], following)


def _places(shelf: Shelf, filters: Filters, cursor: Cursor, order: str, now_ms: int) -> range:
    """The places that remain to be listed, in the order of the listing."""
    begin_ms, end_ms = filters.begin_ms or 0, now_ms + 1
    if filters.end_ms is not None:
        end_ms = min(end_ms, filters.end_ms)
    if filters.status is not None:
        since, until = shelf.created_while(filters.status, now_ms)
        begin_ms, end_ms = max(begin_ms, since), min(end_ms, until)
    begin, end = shelf.span(begin_ms, end_ms)
    if order == "newest-first":
        return range(min(end, shelf.before(cursor.ulid)) - 1, begin - 1, -1)
    return range(max(begin, shelf.after(cursor.ulid)), end)


def _following(shelf: Shelf, held: Sequence[int], repeat: bool) -> Cursor:
    """The cursor after the last operation of a page, or before it, so that the next page repeats it."""
    last = held[-2] if repeat and len(held) > 1 else held[-1]
    return Cursor(shelf.ulid(last))

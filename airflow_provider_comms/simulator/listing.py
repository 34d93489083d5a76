"""Listings: the query, the page it asks for, and the opaque tokens that lead from page to page."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from airflow_provider_comms.simulator.clock import EPOCH
from airflow_provider_comms.simulator.responses import BadRequest, Problem
from airflow_provider_comms.simulator.store import Position
from airflow_provider_comms.simulator.timeline import status_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from pydantic_core import ErrorDetails

    from airflow_provider_comms.simulator.settings import Settings
    from airflow_provider_comms.simulator.store import Operation, OperationStore

_SEAL_BYTES = 8
#: Base64 of these three bytes is ``+//+``, and what follows is padded so that every token also ends in ``==``.
_AWKWARD = b"\xfb\xff\xfe"
_MILLISECOND = timedelta(milliseconds=1)


def _written_as(pattern: str, wanted: str) -> BeforeValidator:
    def check(given: str) -> str:
        if not re.fullmatch(pattern, given, re.ASCII):
            raise ValueError(f"must be {wanted}")
        return given

    return BeforeValidator(check)


_RFC_3339 = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
_Date = Annotated[AwareDatetime, _written_as(_RFC_3339, "a date and time as in RFC 3339, such as 2026-01-31T08:00:00Z")]
_Whole = _written_as(r"[+-]?\d{1,18}", "a whole number from 1 to 1000")


class _Parameters(BaseModel):
    """A listing's parameters; those it does not know are ignored, as the API does."""

    startDate: _Date | None = None  # noqa: N815
    endDate: _Date | None = None  # noqa: N815
    status: Literal["SCHEDULED", "PROCESSING", "COMPLETED", "CANCELED"] | None = None
    pageSize: Annotated[int, _Whole, Field(ge=1, le=1000)] = 50  # noqa: N815
    pageToken: str | None = None  # noqa: N815


class Filters(NamedTuple):
    """
    What a listing keeps.

    :param begin_ms: creation times from this one on, in milliseconds since 1970; None for all.
    :param end_ms: creation times up to this one, itself not included; None for all.
    :param status: operations that show this status when the page is made; None for all.
    """

    begin_ms: int | None = None
    end_ms: int | None = None
    status: str | None = None


class Cursor(NamedTuple):
    """
    Where a page begins.

    :param after: the page holds what comes after this position in the order of the listing; None for the first one.
    :param blanks: how many empty pages were shown in this place already.
    """

    after: Position | None = None
    blanks: int = 0


class Page(NamedTuple):
    """The JSON of a page's operations, and the cursor of the next page if there is one."""

    operations: list[str]
    following: Cursor | None


class Tokens:
    """
    Writes and reads page tokens, each bound to the listing it was made for.

    :param secret: what seals the tokens.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, cursor: Cursor, listing: str) -> str:
        """The token of a cursor within a listing (its resource, filters and order as one text)."""
        content = json.dumps(cursor).encode()
        content += b" " * ((2 - len(content)) % 3)
        return base64.b64encode(_AWKWARD + content + self._seal(content, listing)).decode()

    def read(self, token: str, listing: str) -> Cursor | None:
        """The cursor in a token, or None where it was not written for this listing."""
        try:
            plain = base64.b64decode(token, validate=True)
        except (binascii.Error, ValueError):
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

    :param store: the operations.
    :param given: the query's parameters, decoded.
    :raises BadRequest: with every problem of the query.
    """

    def __init__(self, store: OperationStore, given: Mapping[str, str], settings: Settings, tokens: Tokens) -> None:
        self._store, self._settings, self._tokens = store, settings, tokens
        read = _read(given)
        inclusive = settings.inclusive_bounds
        begin_ms = None if read.startDate is None else _first_ms(read.startDate, inclusive)
        end_ms = None if read.endDate is None else _first_ms(read.endDate, not inclusive)
        self.size, self.filters = read.pageSize, Filters(begin_ms, end_ms, read.status)
        self._name = repr((store.resource, self.filters, settings.order))
        self._continued = read.pageToken is not None
        self.cursor = self._cursor(read.pageToken)

    def _cursor(self, token: str | None) -> Cursor:
        cursor = Cursor() if token is None else self._tokens.read(token, self._name)
        if cursor is None:
            message = "is not a token of this listing; repeat the filters it was given for"
            raise BadRequest([Problem("$.pageToken", message)])
        return cursor

    def to_json(self, now_ms: int) -> bytes:
        """The answer's body."""
        page = make_page(self._store, self.filters, self.cursor, self.size, settings=self._settings, now_ms=now_ms)
        body = f'{{"operations":[{",".join(page.operations)}],"pagination":{json.dumps(self._pagination(page))}}}'
        return body.encode(errors="backslashreplace")

    def _pagination(self, page: Page) -> dict[str, str | None]:
        own = self._token(self.cursor)
        if self._settings.loop_tokens and self._continued:
            return {"next": own, "self": own}
        if page.following is not None:
            return {"next": self._token(page.following), "self": own}
        return {"self": own} if self._settings.omit_next else {"next": None, "self": own}

    def _token(self, cursor: Cursor) -> str:
        return self._tokens.write(cursor, self._name)


def _read(given: Mapping[str, str]) -> _Parameters:
    try:
        return _Parameters.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise BadRequest([Problem(f"$.{one['loc'][0]}", _message(one)) for one in found]) from None


def _message(found: ErrorDetails) -> str:
    return str(found.get("ctx", {}).get("error") or found["msg"])


def _first_ms(bound: datetime, included: bool) -> int:
    """The first whole millisecond after ``bound``, or at it if that one is included."""
    earlier, rest = divmod(bound - EPOCH, _MILLISECOND)
    return earlier if included and not rest else earlier + 1


def make_page(
    store: OperationStore, filters: Filters, cursor: Cursor, size: int, *, settings: Settings, now_ms: int
) -> Page:
    """The page of at most ``size`` operations that a cursor points at."""
    if settings.empty_pages and filters != Filters() and not cursor.blanks:
        return Page([], cursor._replace(blanks=1))
    found = list(islice(_kept(store, filters, cursor, settings.order, now_ms), size + 1))
    held = found[:size]
    following = None
    if len(found) > size:
        following = _following(held, settings.repeat_at_seam)
    elif settings.endless_pages:
        following = Cursor(held[-1].position if held else cursor.after, cursor.blanks + 1)
    return Page([store.to_json(operation, now_ms, in_list=True) for operation in held], following)


def _kept(store: OperationStore, filters: Filters, cursor: Cursor, order: str, now_ms: int) -> Iterator[Operation]:
    end_ms = now_ms + 1 if filters.end_ms is None else min(now_ms + 1, filters.end_ms)
    begin, end = Position(filters.begin_ms or 0), Position(end_ms)
    for operation in store.between(begin, end, after=cursor.after, newest_first=order == "newest-first"):
        if operation.plan.listed and (filters.status is None or filters.status == _status(operation, now_ms)):
            yield operation


def _status(operation: Operation, now_ms: int) -> str:
    return status_at(operation.plan, now_ms - operation.position.created_ms)


def _following(held: Sequence[Operation], repeat: bool) -> Cursor:
    """The cursor after the last operation of a page, or before it, so that the next page repeats it."""
    return Cursor((held[-2] if repeat and len(held) > 1 else held[-1]).position)

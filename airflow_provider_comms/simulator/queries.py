"""The query of a listing: read as far as it goes, with every problem found on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_comms.simulator.answers import Problem
from airflow_provider_comms.simulator.clock import EPOCH
from airflow_provider_comms.simulator.paging import Cursor, Filters, Tokens, describe, first_cursor
from airflow_provider_comms.simulator.plans import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_comms.simulator.identifiers import Resource
    from airflow_provider_comms.simulator.settings import Settings

DEFAULT_PAGE_SIZE = 50
MOST_PAGE_SIZE = 1000
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """
    A listing's query once read.

    :param filters: what to keep.
    :param size: operations a page may hold.
    :param cursor: where the page begins.
    :param listing: the text that tokens of this listing are bound to.
    :param continued: whether a page token was given.
    """

    filters: Filters
    size: int
    cursor: Cursor
    listing: str
    continued: bool


class QueryReader:
    """
    Reads one query; parameters it does not know are ignored, as the API does.

    :param resource: the resource that is listed.
    :param given: the query's parameters, decoded.
    """

    def __init__(self, resource: Resource, given: Mapping[str, str], settings: Settings, tokens: Tokens) -> None:
        self._resource = resource
        self._given = given
        self._settings = settings
        self._tokens = tokens
        self.problems: list[Problem] = []

    def read(self) -> ListQuery:
        """The query; use it only when :attr:`problems` is still empty afterwards."""
        size, filters = self._page_size(), self._filters()
        listing = describe(self._resource, filters, self._settings.order)
        cursor = self._cursor(listing)
        continued = "pageToken" in self._given
        return ListQuery(filters=filters, size=size, cursor=cursor, listing=listing, continued=continued)

    def _filters(self) -> Filters:
        start, end = self._date("startDate"), self._date("endDate")
        if self._resource == "messages" and start and end and end <= start:
            self._refuse("endDate", "must be later than startDate")
        inclusive = self._settings.inclusive_bounds
        return Filters(
            begin_ms=None if start is None else _first_ms(start, inclusive),
            end_ms=None if end is None else _first_ms(end, not inclusive),
            status=self._status(),
        )

    def _page_size(self) -> int:
        given = self._given.get("pageSize", str(DEFAULT_PAGE_SIZE))
        if _WHOLE.fullmatch(given) and 1 <= int(given) <= MOST_PAGE_SIZE:
            return int(given)
        self._refuse("pageSize", f"must be a whole number from 1 to {MOST_PAGE_SIZE}")
        return DEFAULT_PAGE_SIZE

    def _status(self) -> str | None:
        status = self._given.get("status")
        if status is not None and status not in STATUSES:
            self._refuse("status", f"must be one of {', '.join(STATUSES)}")
        return status

    def _date(self, name: str) -> datetime | None:
        given = self._given.get(name)
        if given is None:
            return None
        try:
            if _RFC_3339.fullmatch(given):
                return datetime.fromisoformat(given.upper())
        except ValueError:
            pass  # well formed, but no such day or time: refused below
        self._refuse(name, "must be a date and time as in RFC 3339, such as 2026-01-31T08:00:00Z")
        return None

    def _cursor(self, listing: str) -> Cursor:
        token, first = self._given.get("pageToken"), first_cursor(self._settings.order)
        if token is None:
            return first
        cursor = self._tokens.read(token, listing)
        if cursor is None:
            self._refuse("pageToken", "is not a token of this listing; repeat the filters it was given for")
        return cursor or first

    def _refuse(self, name: str, message: str) -> None:
        self.problems.append(Problem(f"$.{name}", f"{name} {message}"))


def _first_ms(bound: datetime, included: bool) -> int:
    """The first whole millisecond after ``bound``, or at it if that one is included."""
    earlier, rest = divmod(bound - EPOCH, _MILLISECOND)
    return earlier if included and not rest else earlier + 1

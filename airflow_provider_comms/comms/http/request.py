"""What we ask the API: pure descriptions of requests, and nothing that sends them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003  (a TypedDict's annotations are read when it is used)
from typing import TypedDict, Unpack

from airflow_provider_comms.comms.arguments import (
    check_limit,
    check_operation_id,
    check_page_size,
    check_parallel,
    check_resource,
    check_status,
    check_window,
)
from airflow_provider_comms.comms.errors import ErrorContext
from airflow_provider_comms.comms.resource import DEFAULT_PAGE_SIZE, OperationStatus, Resource
from airflow_provider_comms.comms.settings import API_VERSION
from airflow_provider_comms.comms.timestamps import format_utc

PAGE_TOKEN = "pageToken"  # noqa: S105  (a parameter's name)


@dataclass(frozen=True, slots=True)
class Request:
    """
    One GET.

    :param resource: whose models read the answer.
    :param path: from the base URL on.
    :param query: parameters; a page token may be among them, so they are not shown.
    :param operation_id: the operation asked for; None for a list.
    """

    resource: Resource
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    operation_id: str | None = None

    method = "GET"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of it must not be shown where an answer or an error echoes it."""
        return tuple(value for name, value in self.query if name == PAGE_TOKEN)

    def context(self, peer: str) -> ErrorContext:
        """Return the circumstances that are known before there is an answer."""
        return ErrorContext(peer, self.method, self.path, self.resource.value, self.operation_id)


@dataclass(frozen=True, slots=True)
class Query:
    """
    Which operations to list. Made by :func:`query_of`, which checks it.

    :param start_date: created after; aware.
    :param end_date: created before; aware.
    :param limit: operations to hand out at most; None for all.
    :param parallel: slices of the window to list side by side.
    """

    resource: Resource
    start_date: datetime | None = None
    end_date: datetime | None = None
    status: OperationStatus | None = None
    page_size: int = DEFAULT_PAGE_SIZE
    limit: int | None = None
    parallel: int = 1

    def between(self, start_date: datetime | None, end_date: datetime | None) -> Query:
        """Return the same query over another window."""
        return replace(self, start_date=start_date, end_date=end_date)


class Filters(TypedDict, total=False):
    """
    The arguments of a listing, all of them optional.

    - `start_date`: operations created after this moment; an aware datetime, in any zone.
    - `end_date`: operations created before this moment; likewise.
    - `status`: operations in this status; one of `OperationStatus`.
    - `page_size`: operations per request, 1 to 1000 (default 1000).
    - `limit`: stop after so many operations.
    - `parallel`: slices of the window that are listed side by side, 1 to 32 (default 1). With 1 the order is
      the API's, which Twilio does not promise; with more there is none.
    """

    start_date: datetime | None
    end_date: datetime | None
    status: str | None
    page_size: int
    limit: int | None
    parallel: int


def query_of(resource: str, **filters: Unpack[Filters]) -> Query:
    """
    Check the arguments of a listing.

    :param resource: "emails" or "messages".
    :param filters: see :class:`Filters`.
    :raises CommsArgumentError: one of them cannot be right.
    """
    start, end = check_window(filters.get("start_date"), filters.get("end_date"))
    return Query(
        check_resource(resource),
        start,
        end,
        check_status(filters.get("status")),
        check_page_size(filters.get("page_size", DEFAULT_PAGE_SIZE)),
        check_limit(filters.get("limit")),
        check_parallel(filters.get("parallel", 1)),
    )


def fetch_request(resource: str, operation_id: str) -> Request:
    """
    Ask for one operation.

    :raises CommsArgumentError: no such resource, or an id that could leave its segment of the path.
    """
    kind, one = check_resource(resource), check_operation_id(operation_id)
    return Request(kind, f"{_collection(kind)}/{one}", operation_id=one)


def list_request(query: Query, page_token: str | None = None) -> Request:
    """Ask for one page. The filters go with every token: whether Twilio keeps them in it, it does not say."""
    parameters = {
        "startDate": query.start_date and format_utc(query.start_date),
        "endDate": query.end_date and format_utc(query.end_date),
        "status": query.status,
        "pageSize": str(query.page_size),
        PAGE_TOKEN: page_token,
    }
    given = tuple((name, str(value)) for name, value in parameters.items() if value is not None)
    return Request(query.resource, _collection(query.resource), given)


def _collection(resource: Resource) -> str:
    return f"{API_VERSION}/{resource.path}/Operations"

"""Which operations to list: the arguments of a listing, checked, and the request for each of its pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.arguments import (
    check_bool,
    check_limit,
    check_page_size,
    check_parallel,
    check_resource,
    check_status,
    check_window,
    suggests_keywords,
)
from airflow_provider_comms.comms.http.request import PAGE_TOKEN, operations_request
from airflow_provider_comms.comms.resource import DEFAULT_PAGE_SIZE
from airflow_provider_comms.comms.timestamps import format_utc

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.resource import OperationStatus, Resource


OVERLAP = timedelta(seconds=1)
"""
How far requests reach over both ends of their window: Twilio does not say whether its bounds are inclusive. Enough for
a server that reads them in whole seconds.
"""


@dataclass(frozen=True, slots=True)
class Query:
    """
    Which operations to list. Made by :func:`query_of`, which checks it.

    :param start_date: created at or after; aware.
    :param end_date: created before; aware.
    :param limit: operations to hand out at most; None for all.
    :param parallel: slices of the window to list side by side.
    :param strict: raise what would be a warning: records that cannot be read, a window beyond Twilio's retention.
    """

    resource: Resource
    start_date: datetime | None = None
    end_date: datetime | None = None
    status: OperationStatus | None = None
    page_size: int = DEFAULT_PAGE_SIZE
    limit: int | None = None
    parallel: int = 1
    strict: bool = False

    def between(self, start_date: datetime | None, end_date: datetime | None) -> Query:
        """Return the same query over another window."""
        return replace(self, start_date=start_date, end_date=end_date)


@suggests_keywords
def query_of(
    resource: str,
    *,
    start_date: datetime | str | None = None,
    end_date: datetime | str | None = None,
    status: str | None = None,
    page_size: int = DEFAULT_PAGE_SIZE,
    limit: int | None = None,
    parallel: int = 1,
    strict: bool = False,
) -> Query:
    """
    Check the arguments of a listing, which are those of :meth:`AsyncCommsClient.list_operations`.

    :raises CommsArgumentError: one of them is invalid, or is not known.
    """
    start, end = check_window(start_date, end_date)
    return Query(
        check_resource(resource),
        start,
        end,
        check_status(status),
        check_page_size(page_size),
        check_limit(limit),
        check_parallel(parallel),
        check_bool("strict", strict),
    )


def list_request(query: Query, page_token: str | None = None) -> Request:
    """
    Ask for one page of the window and a little more.

    The filters go with every token: whether Twilio keeps them in it, it does not say.
    """
    parameters = {
        "startDate": query.start_date and format_utc(query.start_date - OVERLAP),
        "endDate": query.end_date and format_utc(query.end_date + OVERLAP),
        "status": query.status,
        "pageSize": str(query.page_size),
        PAGE_TOKEN: page_token,
    }
    given = tuple((name, str(value)) for name, value in parameters.items() if value is not None)
    return operations_request(query.resource, given)

"""
Has something with this tag been sent? And by which operation?

A hit is a proof; that nothing is listed is none, because lists lag behind.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.arguments import check_datetime, check_resource
from airflow_provider_comms.comms.errors import CommsArgumentError, CommsError, CommsProtocolError
from airflow_provider_comms.comms.http.request import PAGE_TOKEN, items_request
from airflow_provider_comms.comms.redaction import shown
from airflow_provider_comms.comms.sending.checks import MAX_TAG_NAME, MAX_TAG_VALUE, TAG_CHARACTER
from airflow_provider_comms.comms.sending.results import Sighting
from airflow_provider_comms.comms.timestamps import format_utc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from airflow_provider_comms.comms.http.request import Request
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.comms.sending.items import Item, ItemPage

    GetPage = Callable[[Request], Awaitable[ItemPage]]
    ListOperations = Callable[[Resource, datetime, datetime], AsyncIterator[Operation]]

PAGE_SIZE = 50
MAX_PAGES = 20
"""Pages that are read for a first hit. Filtered pages may be empty although others follow."""
MAX_PROBES = 20
"""Operations that are asked whether a tagged e-mail is theirs."""
MAX_CANDIDATES = 1000
"""Operations that are listed to choose them from."""
BEFORE = timedelta(hours=1)
"""How much earlier than its e-mails an operation may have been created: they are made one after the other."""
AFTER = timedelta(minutes=1)
OVERLAP = timedelta(seconds=1)
"""How much earlier requests begin: Twilio does not say whether its bounds are inclusive."""
_TAG = re.compile(f"(?P<name>{TAG_CHARACTER}{{1,{MAX_TAG_NAME}}}):(?P<value>{TAG_CHARACTER}{{1,{MAX_TAG_VALUE}}})")


class Search:
    """
    One look-up.

    :param resource: "emails" or "messages".
    :param tag: "name:value".
    :param since: created at or after; None for as long as Twilio keeps records.
    :param get_page: sends a request and reads the page.
    :param list_operations: lists the operations of a resource that were created between two times.
    :raises CommsArgumentError: an argument is invalid.
    """

    def __init__(
        self,
        resource: str,
        tag: str,
        since: datetime | str | None,
        get_page: GetPage,
        list_operations: ListOperations,
    ) -> None:
        self._resource = check_resource(resource)
        self._name, self._value = check_tag(tag)
        self._since = check_datetime("since", since)
        self._get_page = get_page
        self._list_operations = list_operations

    async def run(self) -> Sighting:
        """Look; whatever fails is in the result."""
        try:
            hits = await self._hits()
        except CommsError as error:
            return Sighting(None, error=error)
        if not hits:
            return Sighting(False)
        tags = hits[0].tags
        if named := tuple(dict.fromkeys(one for hit in hits for one in hit.operation_ids)):
            return Sighting(True, named, tags)
        try:
            return Sighting(True, await self._probe(hits), tags)
        except CommsError as error:
            return Sighting(True, (), tags, error)

    async def _hits(self, operation_id: str | None = None, page_size: int = PAGE_SIZE) -> list[Item]:
        """
        Return the tagged items of the first page that has any.

        :raises CommsError: it cannot be told whether there are any.
        """
        request, strangers = self._request(operation_id, page_size), 0
        for _ in range(MAX_PAGES):
            page = await self._get_page(request)
            if hits := [item for item in page.items if item.tags.get(self._name) == self._value]:
                return hits
            strangers += len(page.items)
            if page.next_token is None and strangers:
                break
            if page.next_token is None:
                return []
            request = self._request(operation_id, page_size, page.next_token)
        raise CommsProtocolError(
            f"{request} cannot tell whether the tag exists: "
            + ("the API does not filter by tags." if strangers else f"{MAX_PAGES} empty pages, and more follow."),
            request.context("the Comms API"),
            "Look for it in Twilio's console.",
        )

    def _request(self, operation_id: str | None, page_size: int, page_token: str | None = None) -> Request:
        parameters = {
            "operationId": operation_id,
            "tags": f"{self._name}:{self._value};",
            "startDate": None if self._since is None else format_utc(self._since - OVERLAP),
            "pageSize": str(page_size),
            PAGE_TOKEN: page_token,
        }
        given = tuple((name, value) for name, value in parameters.items() if value is not None)
        return items_request(self._resource, given)

    async def _probe(self, hits: list[Item]) -> tuple[str, ...]:
        """Return the operation that the hits belong to, by asking those that were created shortly before them."""
        created = min((hit.created_at for hit in hits if hit.created_at), default=None)
        if created is None:
            return ()
        operations = self._list_operations(self._resource, created - BEFORE, created + AFTER)
        candidates = sorted([one async for one in operations], key=lambda one: abs(one.created_at - created))
        for operation in candidates[:MAX_PROBES]:
            if await self._hits(operation.id, page_size=1):
                return (operation.id,)
        return ()


def check_tag(tag: object) -> tuple[str, str]:
    """Return name and value of a tag that is written "name:value", or refuse it."""
    if isinstance(tag, str) and (parts := _TAG.fullmatch(tag)):
        return parts["name"], parts["value"]
    raise CommsArgumentError(
        f"tag={shown(tag)} is not a tag.",
        advice="Use a text such as airflow.send:1f0c: a name, a colon and a value, of letters, digits and ._~-.",
    )

"""What a response means: an operation, a page, or an error. Whatever bytes come, nothing else leaves this module."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from time import time
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from airflow_provider_comms.comms.arguments import is_possible_id
from airflow_provider_comms.comms.collector import collector_paused
from airflow_provider_comms.comms.errors import (
    STATUS_ERRORS,
    UNKNOWN_OUTCOME,
    CommsError,
    CommsProtocolError,
    CommsRecordError,
    CommsStatusError,
    ErrorContext,
)
from airflow_provider_comms.comms.http.error_body import read_error_body
from airflow_provider_comms.comms.http.retry_after import parse_http_date, parse_retry_after
from airflow_provider_comms.comms.models import OPERATION_MODEL, Operation, Operations, Page, UnreadableRecord
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.resource import MAX_PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from airflow_provider_comms.comms.http.request import Request

OK = 200
REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Response:
    """
    A whole response, free of the HTTP library.

    :param headers: names in lower case.
    :param peer: what errors call the other side.
    :param secrets: what must not be quoted from the body.
    """

    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    peer: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def context(self) -> ErrorContext:
        """The circumstances, as far as status and headers tell."""
        return replace(
            self.request.context(self.peer),
            status=self.status,
            sent=True if self.request.sends else None,
            request_id=self.request_id,
            retry_after=parse_retry_after(self.headers.get("retry-after"), now=self._servers_time()),
        )

    @property
    def request_id(self) -> str | None:
        """Twilio's id of the request."""
        request_id = self.headers.get("twilio-request-id") or self.headers.get("x-request-id")
        return excerpt(request_id, self.secrets, 80) if request_id else None

    def excerpt(self, text: str, length: int = 200) -> str:
        """Return the start of a text of the response as it may be shown."""
        return excerpt(self.request.without_people(text), self.secrets, length)

    def quote(self) -> str:
        """
        Return the start of a body that cannot be read, as it may be shown.

        Of the response to a send only what it is: whoever answered may have put the request into it, in any encoding.
        """
        if not self.request.sends:
            return excerpt(self.body, self.secrets)
        return f"({self.kind})" if self.body.strip() else ""

    @property
    def kind(self) -> str:
        """Content type and length of the body."""
        kind = excerpt(self.headers.get("content-type", "no content type").split(";")[0], self.secrets, 80)
        return f"{kind}, {len(self.body)} bytes"

    def _servers_time(self) -> float:
        """Return the seconds since the epoch by the server's clock, which ours may differ from."""
        told = parse_http_date(self.headers.get("date"))
        return time() if told is None else told


def parse_operation(response: Response) -> Operation:
    """
    Read the response to a fetch.

    :raises CommsStatusError: the API answered with an error status.
    :raises CommsRecordError: the body is a JSON object, but not an operation.
    :raises CommsProtocolError: the body is not a JSON object, or another operation than was asked for.
    """
    record = read_object(response)
    try:
        operation = OPERATION_MODEL[response.request.resource].of_record(record)
    except ValueError as fault:
        raise _record_error(response.request.operation_id, fault, response.context) from None
    if operation.id != response.request.operation_id:
        raise CommsProtocolError(
            f"Asked for {response.request.operation_id}, got {excerpt(operation.id, response.secrets, 80)!r}.",
            response.context,
        )
    return operation


def parse_page(response: Response, wanted: Container[str] | None = None) -> Page:
    """
    Read the response to a list.

    :param wanted: ids of the operations to keep; None for all.
    :raises CommsStatusError: the API answered with an error status.
    :raises CommsProtocolError: the body is not a page of operations.
    """
    with collector_paused():
        page = _page(response, read_object(response))
        if wanted is None:
            return page
        return replace(page, operations=page.operations.where([one in wanted for one in page.operations.ids]))


def _page(response: Response, body: dict[str, Any]) -> Page:
    records, token = _records(response, body), next_token(response, body)
    unreadable: list[UnreadableRecord] = []

    def refuse(record: Any, fault: ValueError) -> None:
        unreadable.append(_unreadable(response, record, fault, len(unreadable)))

    operations = Operations.of_records(response.request.resource, records, refuse)
    return Page(operations, token, tuple(unreadable), len(records))


def read_object(response: Response) -> dict[str, Any]:
    """
    Return the body's JSON object.

    :raises CommsStatusError: the API answered with an error status.
    :raises CommsProtocolError: the body is not a JSON object.
    """
    if response.status != OK:
        raise error_from_response(response)
    try:
        body = _read_json(response.body)
    except (ValueError, RecursionError):
        raise CommsProtocolError(
            f"The response is not valid JSON ({response.kind}): {excerpt(response.body, response.secrets)!r}",
            response.context,
        ) from None
    if type(body) is not dict:
        raise not_as_documented(response, "the body is not a JSON object")
    return body


def _read_json(body: bytes) -> Any:
    try:
        return from_json(body, cache_strings="keys")
    except ValueError:
        return json.loads(body)  # Takes half a surrogate pair too, which one record may hold.


def _records(response: Response, body: dict[str, Any]) -> list[Any]:
    records = body.get("operations")
    if type(records) is not list:
        raise not_as_documented(response, "'operations' is missing or not a list")
    return records


def next_token(response: Response, body: dict[str, Any]) -> str | None:
    """Return the token of the next page: None where it is missing, null or empty."""
    pagination = body.get("pagination") or {}
    if type(pagination) is dict:
        token = pagination.get("next") or None
        if token is None or type(token) is str:
            return token
    raise not_as_documented(response, "'pagination' is not an object whose 'next' is a string or null")


def not_as_documented(response: Response, fault: str) -> CommsProtocolError:
    """Return the error for a body of another form than the API documents."""
    return CommsProtocolError(f"The response does not match the API's documentation: {fault}.", response.context)


def _unreadable(response: Response, record: Any, fault: ValueError, before: int) -> UnreadableRecord:
    if before >= MAX_PAGE_SIZE:
        raise not_as_documented(response, f"more than {MAX_PAGE_SIZE} records of one page cannot be read; {fault}")
    operation_id = _id_of(record)
    context = replace(response.context, operation_id=operation_id)
    return UnreadableRecord(operation_id, _record_error(operation_id, fault, context))


def _id_of(record: Any) -> str | None:
    operation_id = record.get("id") if type(record) is dict else None
    return operation_id if is_possible_id(operation_id) else None


def _record_error(operation_id: str | None, fault: ValueError, context: ErrorContext) -> CommsRecordError:
    return CommsRecordError(f"The record of operation {operation_id or '(no id)'} cannot be read: {fault}.", context)


def error_from_response(response: Response) -> CommsError:
    """Return the error that a response with another status than 200 stands for."""
    request = response.request
    name = f"{response.status} from {request}"
    if response.status in REDIRECTS:
        return CommsProtocolError(
            f"{name}: a redirect, which is not followed with credentials.",
            response.context,
            "Set the host of the connection to the API's real address.",
        )
    if response.status < REDIRECTS.start:
        return CommsProtocolError(f"{name}: a success status that the API does not document.", response.context)
    body = read_error_body(response.body, lambda text: response.excerpt(text, 500))
    context = replace(response.context, code=body.code, errors=body.errors, is_comms_error=body.is_comms)
    said = response.excerpt(str(body), 500) or response.quote()
    error = STATUS_ERRORS.get(response.status, CommsStatusError)
    advice = _SEND_ADVICE.get(response.status) if request.sends else None
    return error(f"{name}: {said or '(empty body)'}", context, advice)


_SEND_ADVICE = {
    400: "Fix the arguments named in the message. Nothing of this request was sent: it is refused as a whole.",
    403: "Use an API key that may send with the Comms API (a standard key; restricted keys may not), and check that "
    "the sender's domain is verified and that the account is not a trial account.",
    **dict.fromkeys((500, 502, 503, 504), UNKNOWN_OUTCOME),
}
"""HTTP status to advice where it differs from the class's own, for a request that sends something."""

"""What an answer means: an operation, a page, or an error. Whatever bytes come, nothing else leaves this module."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from airflow_provider_comms.comms.errors import (
    STATUS_ERRORS,
    CommsError,
    CommsProtocolError,
    CommsStatusError,
    ErrorContext,
)
from airflow_provider_comms.comms.http.retry_after import parse_http_date, parse_retry_after
from airflow_provider_comms.comms.models import OPERATION_MODEL, PAGE_MODEL, Operation, Page
from airflow_provider_comms.comms.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_comms.comms.http.request import Request

M = TypeVar("M", bound=BaseModel)
OK = 200
REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Response:
    """
    A whole answer, free of the HTTP library.

    :param headers: names in lower case.
    :param peer: what errors call the other side.
    :param secrets: what must not be quoted from the body.
    """

    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes
    peer: str
    secrets: tuple[str, ...] = ()

    @property
    def context(self) -> ErrorContext:
        """The circumstances, as far as status and headers tell."""
        request_id = self.headers.get("twilio-request-id") or self.headers.get("x-request-id")
        return replace(
            self.request.context(self.peer),
            status=self.status,
            request_id=excerpt(request_id, self.secrets, 80) if request_id else None,
            retry_after=parse_retry_after(self.headers.get("retry-after"), now=self._servers_time()),
        )

    def _servers_time(self) -> float:
        """Return the seconds since the epoch by the server's clock, which ours may differ from."""
        told = parse_http_date(self.headers.get("date"))
        return time() if told is None else told


def parse_operation(answer: Response) -> Operation:
    """
    Read the answer to a fetch.

    :raises CommsStatusError: the API answered with an error status.
    :raises CommsProtocolError: the body is no operation, or another one than was asked for.
    """
    operation = _read(answer, OPERATION_MODEL[answer.request.resource])
    if operation.id != answer.request.operation_id:
        raise CommsProtocolError(
            f"Asked for {answer.request.operation_id}, got operation {excerpt(operation.id, answer.secrets, 80)!r}.",
            answer.context,
        )
    return operation


def parse_page(answer: Response) -> Page:
    """
    Read the answer to a list.

    :raises CommsStatusError: the API answered with an error status.
    :raises CommsProtocolError: the body is no page of operations.
    """
    return _read(answer, PAGE_MODEL[answer.request.resource])


def _read(answer: Response, model: type[M]) -> M:
    if answer.status != OK:
        raise error_from_response(answer)
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as error:
        # Not chained: pydantic's message quotes the input, and recipients may stand in it.
        raise CommsProtocolError(_what_is_wrong(answer, error), answer.context) from None


def _what_is_wrong(answer: Response, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    kind = answer.headers.get("content-type", "no content type").split(";")[0]
    if first["type"] == "json_invalid":
        return (
            f"The answer is no whole JSON ({excerpt(kind, answer.secrets, 80)}, {len(answer.body)} bytes): "
            f"{excerpt(answer.body, answer.secrets)!r}"
        )
    field = ".".join(str(step) for step in first["loc"]) or "the body"
    return f"The answer is not as the API documents it: {excerpt(field, answer.secrets, 120)}: {first['msg'].lower()}."


def error_from_response(answer: Response) -> CommsError:
    """Return the error that a response with another status than 200 stands for."""
    name = f"{answer.status} from {answer.request.method} {answer.request.path}"
    if answer.status in REDIRECTS:
        return CommsProtocolError(
            f"{name}: a redirect, which is not followed with credentials.",
            answer.context,
            "Set the host of the connection to where the API really is.",
        )
    if answer.status < REDIRECTS.start:
        return CommsProtocolError(f"{name}: a success, but not one that the API documents.", answer.context)
    code, message = _read_error_body(answer.body)
    said = excerpt(message, answer.secrets, 500) if message else excerpt(answer.body, answer.secrets)
    error = STATUS_ERRORS.get(answer.status, CommsStatusError)
    return error(f"{name}: {said or 'no word of explanation'}", replace(answer.context, code=code))


def _read_error_body(body: bytes) -> tuple[int | None, str | None]:
    """Read Twilio's code and message out of any of the three forms that its error bodies have."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(data, dict):
        return None, None
    if isinstance(errors := data.get("errors"), list) and any(_message(e) for e in errors):
        return _code(data, *errors), "; ".join(filter(None, map(_message, errors)))
    return _code(data), _message(data)


def _message(error: object) -> str | None:
    """Return what one error says: Comms `message`, the platform's `message`, RFC 9457's `detail` or `title`."""
    if not isinstance(error, dict):
        return None
    said = next((error[k] for k in ("message", "detail", "title") if _is_text(error.get(k))), None)
    if said is None:
        return None
    # Comms writes the text "null" where there is no field at fault.
    field = next((error[k] for k in ("context", "pointer") if _is_text(error.get(k), but="null")), None)
    return f"{said} (at {field})" if field else said


def _is_text(value: object, but: str = "") -> bool:
    return isinstance(value, str) and value.strip() not in ("", but)


def _code(*candidates: Any) -> int | None:
    codes: Iterable[Any] = (c.get("code") for c in candidates if isinstance(c, dict))
    return next((code for code in codes if type(code) is int), None)

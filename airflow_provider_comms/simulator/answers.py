"""The bodies of answers, in the three forms the API and what stands before it use."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Error codes where they are not simply 20000 plus the HTTP status.
_CODES = {401: 20003, 403: 70051, 405: 20004}
_MESSAGES = {
    401: "Authentication Error - invalid username",
    403: "The API key does not have the permission that this request needs",
    404: "The requested resource was not found",
    405: "Method not allowed",
    429: "Too many requests",
    500: "An internal server error has occurred",
    503: "The service is temporarily unavailable",
}
_PLATFORM_STATUSES = (401, 403, 405)
_GATEWAY_STATUSES = (502, 504)
_NO_CONTEXT = "null"


class Problem(NamedTuple):
    """
    One thing wrong with a request.

    :param context: the JSON path of the parameter at fault.
    :param message: what is wrong with it.
    """

    context: str
    message: str


def code_of(status: int) -> int:
    """The API's error code for an HTTP status."""
    return _CODES.get(status, 20000 + status)


def json_answer(status: int, content: Any) -> Response:
    """An answer whose body is JSON."""
    return Response(json.dumps(content), status_code=status, media_type="application/json")


def bad_request(problems: Iterable[Problem]) -> Response:
    """A 400 that lists every problem found."""
    return _listed(400, problems)


def error(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """
    An error answer in the form in which that status usually comes.

    401, 403 and 405 come from the platform, 502 and 504 from a gateway (HTML), all others from the Comms API.
    """
    if status in _GATEWAY_STATUSES:
        answer = _gateway(status)
    elif status in _PLATFORM_STATUSES:
        answer = _platform(status)
    else:
        answer = _listed(status, [Problem(_NO_CONTEXT, _message(status))])
    answer.headers.update(headers or {})
    return answer


def portal() -> Response:
    """A 200 with the HTML of a network's log-in page."""
    return HTMLResponse("<!DOCTYPE html><html><title>Sign in</title><p>Please sign in to this network.</p></html>")


def _listed(status: int, problems: Iterable[Problem]) -> Response:
    code = code_of(status)
    errors = [
        {"code": code, "message": problem.message, "infoUrl": _info_url(code), "context": problem.context}
        for problem in problems
    ]
    return json_answer(status, {"errors": errors})


def _platform(status: int) -> Response:
    code = code_of(status)
    content = {"code": code, "message": _message(status), "more_info": _info_url(code), "status": status}
    answer = json_answer(status, content)
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return answer


def _gateway(status: int) -> Response:
    title = f"{status} {_message(status)}"
    return HTMLResponse(f"<html><head><title>{title}</title></head><h1>{title}</h1></html>", status_code=status)


def _message(status: int) -> str:
    known = status in HTTPStatus._value2member_map_
    return _MESSAGES.get(status) or (HTTPStatus(status).phrase if known else "Error")


def _info_url(code: int) -> str:
    return f"https://www.twilio.com/docs/api/errors/{code}"

"""The bodies of responses, in the three forms the API and what stands before it use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

#: How a 202 looks.
AcceptedForm = Literal["documented", "location-only", "without-id", "empty", "html"]

_JSON, _HTML = {"Content-Type": "application/json"}, {"Content-Type": "text/html; charset=utf-8"}
#: Error codes where they are not simply 20000 plus the HTTP status.
_CODES = {401: 20003, 403: 70051, 405: 20004}
_HEADERS = {401: {"WWW-Authenticate": 'Basic realm="Twilio API"'}}
_MESSAGES = {
    401: "Authentication Error - invalid username",
    403: "The API key does not have the permission that this request needs",
    404: "The resource was not found.",
    405: "Method not allowed",
    429: "Too many requests. Please retry according to the Retry-After response header.",
    500: "Internal server error.",
    503: "Service unavailable.",
}


@dataclass
class Response:
    """A response before anything goes wrong with it."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Problem(NamedTuple):
    """One thing wrong with a request, at a JSON path; without a code of its own it has that of the HTTP status."""

    context: str
    message: str
    code: int | None = None


class BadRequest(Exception):  # noqa: N818
    """A request that is answered with a 400 and these problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def bad_request(error: ValidationError) -> BadRequest:
    """The answer to what pydantic refuses, with every problem that it has."""
    return BadRequest([_problem(one) for one in error.errors(include_url=False, include_input=False)])


def _problem(found: ErrorDetails) -> Problem:
    message = str(found.get("ctx", {}).get("error") or found["msg"])
    return Problem(_json_path(found["loc"]), message, int(found["type"]) if found["type"].isdigit() else None)


def _json_path(location: tuple[int | str, ...]) -> str:
    """The JSON path of what pydantic locates, which also names the form of an object, and that a key is meant."""
    steps = [step for step in location if not re.fullmatch(r"<\w+>|\[key\]", str(step))]
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def json_response(status: int, content: Any, headers: dict[str, str] | None = None) -> Response:
    """A response whose body is JSON."""
    return Response(status, json.dumps(content).encode(), _JSON | (headers or {}))


def raw_json(body: bytes) -> Response:
    """A 200 whose body is JSON already."""
    return Response(200, body, dict(_JSON))


def error(status: int, headers: dict[str, str] | None = None, problems: Iterable[Problem] = ()) -> Response:
    """
    An error in the form in which that status usually comes.

    401, 403 and 405 come from the platform, 502 and 504 from a gateway (HTML), all others from the Comms API.
    """
    code, message = _CODES.get(status, 20000 + status), _message(status)
    match status:
        case 502 | 504:
            page = f"<html><head><title>{status} {message}</title></head><h1>{status} {message}</h1></html>"
            return Response(status, page.encode(), _HTML | (headers or {}))
        case 401 | 403 | 405:
            content = {"code": code, "message": message, "more_info": _info_url(code), "status": status}
            return json_response(status, content, _HEADERS.get(status, {}) | (headers or {}))
    errors = [
        {
            "code": problem.code or code,
            "message": problem.message,
            "infoUrl": _info_url(problem.code or code),
            "context": problem.context,
        }
        for problem in problems or [Problem("null", message)]
    ]
    return json_response(status, {"errors": errors}, headers)


def _message(status: int) -> str:
    with suppress(ValueError):
        return _MESSAGES.get(status) or HTTPStatus(status).phrase
    return "Error"


def _info_url(code: int) -> str:
    return f"https://www.twilio.com/docs/api/errors/{code}"


def accepted(form: AcceptedForm, operation_id: str, location: str) -> Response:
    """The 202 to a send, in the form that the API documents or in one that it has been seen in."""
    match form:
        case "documented":
            content = {"operationId": operation_id, "operationLocation": location}
            return json_response(202, content, {"Location": location})
        case "location-only":
            return Response(202, headers={"Location": location})
        case "without-id":
            return json_response(202, {})
        case "html":
            return Response(202, b"<html><h1>Accepted</h1></html>", dict(_HTML))
    return Response(202)


def portal() -> Response:
    """A 200 with the HTML of a network's log-in page."""
    page = b"<!DOCTYPE html><html><title>Sign in</title><p>Please sign in to this network.</p></html>"
    return Response(200, page, dict(_HTML))

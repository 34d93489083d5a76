"""One request to the API: a pure description, and nothing that sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.arguments import check_operation_id, check_resource
from airflow_provider_comms.comms.errors import ErrorContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.comms.resource import Resource

    Parameters = tuple[tuple[str, str], ...]

GET, POST = "GET", "POST"
PAGE_TOKEN = "pageToken"  # noqa: S105  (a parameter's name)


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request.

    :param resource: what kind of operation it is about.
    :param path: from the base URL on.
    :param query: parameters; a page token may be among them, so they are not shown.
    :param operation_id: the operation asked for; None for a list or a send.
    :param method: GET, or POST for what sends something: it must never be repeated by accident.
    :param body: JSON to post.
    :param scrub: takes what the body says of people out of a text that may quote it.
    """

    resource: Resource
    path: str
    query: Parameters = field(default=(), repr=False)
    operation_id: str | None = None
    method: str = GET
    body: bytes | None = field(default=None, repr=False)
    scrub: Callable[[str], str] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def sends(self) -> bool:
        """Whether it makes the API send something, so that a second one would send it twice."""
        return self.method == POST

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of it must not be shown where a response or an error echoes it."""
        return tuple(value for name, value in self.query if name == PAGE_TOKEN)

    def without_people(self, text: str) -> str:
        """Return a foreign text without what the body says of people."""
        return self.scrub(text) if self.scrub else text

    def context(self, peer: str) -> ErrorContext:
        """Return the circumstances that are known before there is a response. Nothing has been written yet."""
        sent = False if self.sends else None
        return ErrorContext(peer, self.method, self.path, self.resource.value, self.operation_id, sent=sent)


def fetch_request(resource: str, operation_id: str) -> Request:
    """
    Ask for one operation.

    :raises CommsArgumentError: no such resource, or an id that could leave its segment of the path.
    """
    kind, one = check_resource(resource), check_operation_id(operation_id)
    return Request(kind, f"{kind.operations_path}/{one}", operation_id=one)


def operations_request(resource: Resource, parameters: Parameters) -> Request:
    """Ask for one page of a list of operations."""
    return Request(resource, resource.operations_path, parameters)


def items_request(resource: Resource, parameters: Parameters) -> Request:
    """Ask for one page of a list of e-mails or messages."""
    return Request(resource, resource.items_path, parameters)


def send_request(resource: Resource, body: bytes, scrub: Callable[[str], str]) -> Request:
    """Send e-mails or messages."""
    return Request(resource, resource.items_path, method=POST, body=body, scrub=scrub)

"""One GET of the API: a pure description, and nothing that sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.arguments import check_operation_id, check_resource
from airflow_provider_comms.comms.errors import ErrorContext
from airflow_provider_comms.comms.settings import API_VERSION

if TYPE_CHECKING:
    from airflow_provider_comms.comms.resource import Resource

PAGE_TOKEN = "pageToken"  # noqa: S105  (a parameter's name)


@dataclass(frozen=True, slots=True)
class Request:
    """
    One GET.

    :param resource: what kind of operation it is about.
    :param path: from the base URL on.
    :param query: parameters; a page token may be among them, so they are not shown.
    :param operation_id: the operation asked for; None for a list.
    """

    resource: Resource
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    operation_id: str | None = None

    method = "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of it must not be shown where a response or an error echoes it."""
        return tuple(value for name, value in self.query if name == PAGE_TOKEN)

    def context(self, peer: str) -> ErrorContext:
        """Return the circumstances that are known before there is a response."""
        return ErrorContext(peer, self.method, self.path, self.resource.value, self.operation_id)


def fetch_request(resource: str, operation_id: str) -> Request:
    """
    Ask for one operation.

    :raises CommsArgumentError: no such resource, or an id that could leave its segment of the path.
    """
    kind, one = check_resource(resource), check_operation_id(operation_id)
    return Request(kind, f"{_collection(kind)}/{one}", operation_id=one)


def page_request(resource: Resource, parameters: tuple[tuple[str, str], ...]) -> Request:
    """Ask for one page of a list."""
    return Request(resource, _collection(resource), parameters)


def _collection(resource: Resource) -> str:
    return f"{API_VERSION}/{resource.path}/Operations"

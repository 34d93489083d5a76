"""Which resource, route and operation a request's path names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from airflow_provider_comms.simulator.identifiers import Resource

Route = Literal["list", "fetch"]
ROUTES: tuple[Route, ...] = get_args(Route)
API_ROOT = "/v1"

_PATH = re.compile(r"/v1/(Emails|Messages)/Operations(?:/([^/]+))?")
_RESOURCES: dict[str, Resource] = {"Emails": "emails", "Messages": "messages"}


class Target(NamedTuple):
    """
    What a request is about.

    :param resource: ``emails`` or ``messages``.
    :param route: ``list`` or ``fetch``.
    :param operation_id: the operation to fetch; None for a listing.
    """

    resource: Resource
    route: Route
    operation_id: str | None


def read_target(path: str) -> Target | None:
    """The target of a decoded path, or None where the API has nothing there."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    operation_id = found[2]
    return Target(_RESOURCES[found[1]], "fetch" if operation_id else "list", operation_id)

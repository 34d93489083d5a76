"""The response to a send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_comms.comms.arguments import is_possible_id
from airflow_provider_comms.comms.errors import UNKNOWN_OUTCOME, CommsProtocolError
from airflow_provider_comms.comms.http.response import error_from_response
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.sending.results import Accepted

if TYPE_CHECKING:
    from airflow_provider_comms.comms.http.response import Response

SUCCESSES = range(200, 300)
ACCEPTED = 202
_MAX_URL = 500


def parse_accepted(response: Response) -> Accepted:
    """
    Read the response to a send. A 202 says that it was accepted, whatever else is in it.

    :raises CommsProtocolError: another success, and nothing in it is the API's: a portal or proxy may have answered.
    :raises CommsError: the API answered with another status.
    """
    if response.status not in SUCCESSES:
        raise error_from_response(response)
    body = _read_object(response.body)
    urls = [response.headers.get("location"), body.get("operationLocation")]
    locations = [excerpt(url, response.secrets, _MAX_URL) for url in urls if isinstance(url, str) and url]
    ids = [body.get("operationId"), *map(_last_segment, locations)]
    operation_id = next((one for one in ids if is_possible_id(one)), None)
    if response.status != ACCEPTED and operation_id is None:
        raise CommsProtocolError(
            f"{response.status} from {response.request}, without an operation: it may not be the API that answered.",
            response.context,
            UNKNOWN_OUTCOME,
        )
    return Accepted(operation_id, next(iter(locations), None), response.request_id)


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _last_segment(url: str) -> str | None:
    """Return the id that a URL of an operation ends in."""
    try:
        folder, _, last = urlsplit(url).path.rstrip("/").rpartition("/")
    except ValueError:
        return None
    return last if folder.endswith("/Operations") else None

"""What came of a send: accepted, or found again by its tag."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_comms.comms.errors import CommsError


@dataclass(frozen=True, slots=True)
class Accepted:
    """
    Twilio has accepted a send: it was not necessarily delivered to anybody yet.

    :param operation_id: id of the operation that it created; None if the response could not be read. It is accepted all
        the same: never send it again, find its operation by a tag.
    :param location: URL of the operation, as Twilio gave it.
    :param request_id: Twilio's id of the request, which its support asks for.
    """

    operation_id: str | None
    location: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """
    What a look-up by tag has found.

    :param found: True: something with this tag was accepted. False: nothing with this tag is listed, which proves
        nothing for a send that is younger than a few minutes, because lists lag. None: cannot tell, see `error`.
    :param operation_ids: ids of the operations that were seen; empty where something was found, but not its operation.
    :param tags: all tags of what was found.
    :param error: why the look-up, or the search for the operation, failed.
    """

    found: bool | None
    operation_ids: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    error: CommsError | None = None

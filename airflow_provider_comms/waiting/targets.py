"""What is waited for: the resource and the ids, from whatever a DAG, a template or an upstream task gives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from airflow_provider_comms.comms.arguments import (
    check_operation_id,
    check_resource,
    is_documented_id,
    is_possible_id,
)
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_comms.comms.models import Operation

_ID_KEYS = ("id", "operationId", "operation_id")
"""Where a mapping holds its id: ours, Twilio's answer to a send, and that answer in snake_case."""
_LIST_KEY = "operations"
"""Where a result of several operations holds them: our operators' XComs."""


@dataclass(frozen=True, slots=True)
class Targets:
    """
    Operations of one resource.

    :param resource: "emails" or "messages".
    :param ids: in the order given, duplicates too.
    :param is_list: whether several were asked for, so that the result is a list.
    """

    resource: Resource
    ids: tuple[str, ...]
    is_list: bool

    @classmethod
    def of(cls, resource: object, operation_id: object) -> Targets:
        """
        Read the arguments `resource` and `operation_id`, after their templates are rendered.

        :raises CommsArgumentError: one of them is invalid.
        """
        ids, is_list = _read(operation_id)
        return cls(check_resource(resource), tuple(ids), is_list)

    def unrecognized(self) -> list[str]:
        """Return the ids that have not the form which Twilio documents: they may be right, and deserve a warning."""
        return [one for one in self.ids if not is_documented_id(one)]


def ids_of(operation_id: object) -> Sequence[str]:
    """
    Return the ids that an argument names.

    :param operation_id: an id; a mapping that holds one (our XCom's `id`, the `operationId` of Twilio's answer to a
        send); several of them (a list, what mapped tasks returned, a mapping with `operations`, a list of these); or
        any of these as JSON text, which is what a template makes of them.
    :raises CommsArgumentError: one of them cannot be an id, or there is none.
    """
    return _read(operation_id)[0]


def label_of(ids: Sequence[str], length: int = 200) -> str:
    """
    Name operations on one line: the first id, and how many more there are.

    :param length: characters at most.
    """
    more = f" and {len(ids) - 1:,} more" if len(ids) > 1 else ""
    room = length - len(more)
    first = shown_id(ids[0])
    return f"{first if len(first) <= room else f'{first[: room - 3]}...'}{more}"


def shown_id(operation_id: str) -> str:
    """Return an id as logs and tables show it; the API may give any text for one."""
    return operation_id if is_possible_id(operation_id) else excerpt(operation_id)


def _read(operation_id: object) -> tuple[list[str], bool]:
    given = _unwrapped(operation_id)
    if not _holds_several(given):
        return [_one_id(given)], False
    # What several tasks returned may be a list of lists.
    ids = [_one_id(one) for part in map(_unwrapped, given) for one in (part if _holds_several(part) else [part])]
    if not ids:
        raise CommsArgumentError(
            f"operation_id={operation_id!r} names no operation.",
            advice="Give at least one id; skip the task if there is none.",
        )
    return ids, True


def _unwrapped(operation_id: object) -> object:
    given = _decoded(operation_id)
    return given[_LIST_KEY] if isinstance(given, Mapping) and _LIST_KEY in given and not _id_key(given) else given


def _holds_several(given: object) -> TypeGuard[Iterable[object]]:
    return isinstance(given, Iterable) and not isinstance(given, (str, bytes, bytearray, Mapping))


def _decoded(operation_id: object) -> object:
    if not isinstance(operation_id, str) or not operation_id.lstrip().startswith(('"', "[", "{", "(")):
        return operation_id
    try:
        return json.loads(operation_id)
    except (ValueError, RecursionError):
        # The text is not shown: an answer to a send, or what made it, may hold recipients.
        raise CommsArgumentError(
            f"operation_id= is a string that begins with {operation_id.lstrip()[0]!r}, and is neither an id nor JSON.",
            advice="If a template renders a list or a mapping, end it with `| tojson }}`, or set "
            "render_template_as_native_obj=True for the DAG.",
        ) from None


def _one_id(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        raise CommsArgumentError("operation_id= is bytes, not text.", advice="Decode it: `.decode()`.")
    if not isinstance(value, Mapping):
        return check_operation_id(value)
    if key := _id_key(value):
        return check_operation_id(value[key])
    # The values are not shown: an answer to a send, or what made it, may hold recipients.
    raise CommsArgumentError(
        f"operation_id= is a mapping without an id; its keys are: {', '.join(sorted(map(repr, value))) or 'none'}.",
        advice=f"Give the id itself, or a mapping with one of {', '.join(_ID_KEYS)}.",
    )


def _id_key(value: Mapping[object, object]) -> str | None:
    return next((key for key in _ID_KEYS if key in value), None)


def other_resource(resource: Resource) -> Resource:
    """Return the resource that an id may be of by mistake."""
    return Resource.MESSAGES if resource is Resource.EMAILS else Resource.EMAILS


def wrong_resource(operation: Operation) -> str:
    """Say that an operation is of the other resource, where it was found."""
    actual = operation.resource.value
    return f"Operation {shown_id(operation.id)} is of resource {actual!r}: set resource={actual!r}."

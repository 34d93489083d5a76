"""
The arguments that the sensor and the operators share: checked when the DAG is parsed, as far as they are known
there, and read when the task runs. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from airflow_provider_comms.comms.arguments import check_operation_id, check_resource, is_documented_id
from airflow_provider_comms.comms.errors import CommsArgumentError

T = TypeVar("T")


def is_literal(value: Any) -> bool:
    """Whether a value is there at parsing already: not a template, nor an upstream task's XCom."""
    if isinstance(value, str):
        return "{{" not in value and "{%" not in value
    return value is None or isinstance(value, (int, float, list, tuple, Mapping))


def check_when_parsed(resource: Any, operation_id: Any) -> None:
    """
    Refuse what cannot be right, as soon as it is known.

    :raises CommsArgumentError: names the argument and its value.
    """
    if is_literal(resource):
        check_resource(resource)
    if isinstance(operation_id, (list, tuple)):
        for one in filter(is_literal, operation_id):
            _one_id(one)
        _not_empty(operation_id)
    elif is_literal(operation_id):
        _one_id(operation_id)


def ids_of(operation_id: Any) -> Sequence[str]:
    """
    Return the ids that an argument names, after its templates are rendered.

    :param operation_id: an id; what a sensor or operator of ours returned (its `id` is taken); or several of
        them: a list, or what mapped tasks returned.
    :raises CommsArgumentError: one of them cannot be an id, or there is none.
    """
    if isinstance(operation_id, (str, Mapping)) or not isinstance(operation_id, Iterable):
        return [_one_id(operation_id)]
    return _not_empty([_one_id(one) for one in operation_id])


def is_collection(operation_id: Any) -> bool:
    """Whether the argument asks for a list of results."""
    return isinstance(operation_id, Iterable) and not isinstance(operation_id, (str, Mapping))


def unrecognized_ids(operation_ids: Iterable[str]) -> list[str]:
    """Return the ids that have not the form which Twilio documents: they may be right, and deserve a warning."""
    return [one for one in operation_ids if not is_documented_id(one)]


def _one_id(value: Any) -> str:
    return check_operation_id(value.get("id") if isinstance(value, Mapping) else value)


def _not_empty(ids: Sequence[T]) -> Sequence[T]:
    if not ids:
        raise CommsArgumentError(
            f"operation_id={ids!r} names no operation.",
            advice="Give at least one; skip the task where there is none.",
        )
    return ids

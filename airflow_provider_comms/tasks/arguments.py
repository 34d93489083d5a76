"""What the arguments of sensor and operators are when a DAG is parsed; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from airflow_provider_comms.comms.arguments import check_resource
from airflow_provider_comms.tasks.unshown import is_template
from airflow_provider_comms.waiting.targets import ids_of


def is_literal(value: object) -> bool:
    """Whether a value is there at parsing already: not a template, nor an upstream task's XCom."""
    if isinstance(value, str):
        return not is_template(value)
    if isinstance(value, Mapping):
        return all(map(is_literal, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(is_literal, value))
    return value is None or isinstance(value, (int, float, bytes, date))


def check_when_parsed(resource: object, operation_id: object) -> None:
    """
    Refuse what is invalid, as soon as it is known.

    :raises CommsArgumentError: names the argument and its value.
    """
    if is_literal(resource):
        check_resource(resource)
    if isinstance(operation_id, (list, tuple)):
        known = [one for one in operation_id if is_literal(one)]
        if known or not operation_id:
            ids_of(known)
    elif is_literal(operation_id):
        ids_of(operation_id)

"""What the arguments of the report operator must be: what a DAG says at parsing, and all of it when the task runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.comms.arguments import check_integer, check_parallel, check_resource, check_status
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.redaction import shown
from airflow_provider_comms.reports.rows import check_format_names
from airflow_provider_comms.reports.window import aware_datetime, zone_of
from airflow_provider_comms.tasks.arguments import is_literal
from airflow_provider_comms.tasks.report_window import given_window
from airflow_provider_comms.waiting.thresholds import check_counters, parse_thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_comms.comms.resource import Resource


def _check_output(value: object) -> None:
    if value is not None and not isinstance(value, str) and is_literal(value):
        raise CommsArgumentError(
            f"output={shown(value)} is not a folder.",
            advice='Use a string such as "s3://aws_default@bucket/reports", an ObjectStoragePath, or None (no files).',
        )


_CHOICES: dict[str, tuple[object, ...]] = {
    "html": (True, False),
    "on_incomplete": ("warn", "fail"),
    "partition_by": (None, "day"),
}
_CHECKS: dict[str, Callable[[object], object]] = {
    "status": lambda value: check_status(None if value == "" else value),
    "output": _check_output,
    "formats": check_format_names,
    "timezone": zone_of,
    "top": lambda value: check_integer("top", value, 0, None),
    "parallel": check_parallel,
    "fail_if": parse_thresholds,
}
_TEMPLATED = ("resource", "window_start", "window_end", "status", "output", "timezone")


def resources_of(resource: object) -> list[Resource]:
    """
    Return the kinds of operations that the argument names, each once.

    :raises CommsArgumentError: it names none, or something else.
    """
    return list(dict.fromkeys(check_resource(one, _RESOURCES) for one in _each(resource)))


def check_report(arguments: Mapping[str, object], is_rendered: Callable[[object], bool] = lambda _: True) -> None:
    """
    Refuse what is invalid.

    :param arguments: of the operator, by name.
    :param is_rendered: whether a templated argument has its value already.
    :raises CommsArgumentError: names the argument, its value and what to use.
    """
    known = {name: value for name, value in arguments.items() if name not in _TEMPLATED or is_rendered(value)}
    for name, choices in _CHOICES.items():
        _check_choice(name, known[name], choices)
    for name, check in _CHECKS.items():
        if name in known:
            check(known[name])
    _check_window(known)
    given = _each(arguments["resource"])
    resources = [check_resource(one, _RESOURCES) for one in given if is_rendered(one)]
    if len(resources) == len(given) == 1:
        check_counters(resources[0], [one.counter for one in parse_thresholds(known["fail_if"])])
    if arguments["output"] not in (None, "") and not known["formats"] and not known["html"]:
        raise CommsArgumentError(
            f"formats={shown(known['formats'])} and html=False leave nothing to publish in output.",
            advice="Give a format, or html=True; or omit output.",
        )


def _each(resource: object) -> list[object]:
    given = list(resource) if isinstance(resource, (list, tuple)) else [resource]
    if not given:
        raise CommsArgumentError(f"resource={resource!r} is empty.", advice=_RESOURCES)
    return given


_RESOURCES = "Use 'emails', 'messages', or a list of both."


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    # By type, too: 1 equals True.
    if not any(value == one and type(value) is type(one) for one in choices):
        raise CommsArgumentError(f"{name}={shown(value)} is unknown.", advice=f"Use {' or '.join(map(repr, choices))}.")


def _check_window(known: Mapping[str, object]) -> None:
    names = ("window_start", "window_end")
    if all(name in known for name in (*names, "timezone")):
        given_window(known["window_start"], known["window_end"], str(known["timezone"]))
        return
    for name in names:
        if known.get(name) not in (None, ""):
            aware_datetime(name, known[name], zone_of(known.get("timezone", "UTC")))

"""
What an operation's state means for a task: one verdict and one XCom for every mode, sensor and operator alike.

Pure: no Airflow, no HTTP. An operation ends COMPLETED or CANCELED; there is no FAILED, so what counts as a
failure is the task's policy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import OperationStatus, Resource
from airflow_provider_comms.comms.timestamps import format_utc
from airflow_provider_comms.reports.figures import recipients_of
from airflow_provider_comms.reports.rates import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_comms.comms.models import Operation

OnCanceled = Literal["succeed", "fail", "skip"]
Reason = Literal["canceled", "threshold", "refused", "timeout", "no connection"]
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not ended yet."""


@dataclass(frozen=True, slots=True)
class Finished:
    """
    Ended as wished.

    :param warning: what the log should warn of all the same.
    """

    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Ended, and the task is to be skipped."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """
    Ended, or cannot be waited for, and the task is to fail.

    :param reason: the kind of failure, which chooses the exception that the task raises.
    """

    reason: Reason
    message: str


Verdict = Waiting | Finished | Skipped | Failed


@dataclass(frozen=True, slots=True)
class Threshold:
    """
    The most that a counter may come to.

    :param counter: name of the counter.
    :param most: a number of recipients, or a share of them from 0 to 1.
    :param is_share: which of the two.
    :param written: as the DAG's author wrote it.
    """

    counter: str
    most: float
    is_share: bool
    written: str


@dataclass(frozen=True, slots=True)
class Policy:
    """
    What a task makes of an operation that has ended. Made by :func:`policy_of`, which checks it.

    :param on_canceled: what a CANCELED operation does to the task.
    :param limits: what turns a COMPLETED operation into a failure.
    """

    on_canceled: OnCanceled = "succeed"
    limits: tuple[Threshold, ...] = ()


def policy_of(resource: Resource, on_canceled: object, fail_if: Mapping[str, object] | None) -> Policy:
    """
    Check the arguments that make a policy.

    :param resource: whose counters `fail_if` may name.
    :param on_canceled: "succeed", "fail" or "skip".
    :param fail_if: counter to limit: a whole number of recipients, or a share such as "2%".
    :raises CommsArgumentError: one of them cannot be right.
    """
    if on_canceled not in get_args(OnCanceled):
        raise CommsArgumentError(
            f"on_canceled={on_canceled!r} is unknown.", advice=f"Use one of {', '.join(get_args(OnCanceled))}."
        )
    limits = tuple(_limit(resource, counter, most) for counter, most in (fail_if or {}).items())
    return Policy(on_canceled, limits)  # type: ignore[arg-type]


def _limit(resource: Resource, counter: str, most: object) -> Threshold:
    if counter not in resource.counters:
        raise CommsArgumentError(
            f"fail_if names {counter!r}, which is no counter of {resource.value}.",
            advice=f"Use one of {', '.join(resource.counters)}.",
        )
    if isinstance(most, int) and not isinstance(most, bool) and most >= 0:
        return Threshold(counter, most, is_share=False, written=str(most))
    share = _PERCENT.fullmatch(most.strip()) if isinstance(most, str) else None
    if share and float(share[1]) <= 100:  # noqa: PLR2004
        return Threshold(counter, float(share[1]) / 100, is_share=True, written=most)  # type: ignore[arg-type]
    raise CommsArgumentError(
        f"fail_if[{counter!r}]={most!r} is no limit.",
        advice='Give a whole number of recipients, or a share of them from "0%" to "100%".',
    )


def judge(operation: Operation, policy: Policy) -> Verdict:
    """Return what the operation's state means under the policy."""
    if not operation.is_terminal:
        return Waiting()
    if operation.status == OperationStatus.CANCELED:
        return _judge_canceled(operation, policy)
    return _judge_counters(operation, policy)


def _judge_canceled(operation: Operation, policy: Policy) -> Verdict:
    message = (
        f"{operation.resource.value} operation {operation.id} was CANCELED: {counters_text(operation.stats.counters())}"
    )
    if policy.on_canceled == "fail":
        return Failed("canceled", f"{message}. The task asks to fail then (on_canceled='fail').")
    if policy.on_canceled == "skip":
        return Skipped(f"{message}. The task asks to be skipped then (on_canceled='skip').")
    return Finished(warning=f"{message}. Not all recipients were sent to.")


def _judge_counters(operation: Operation, policy: Policy) -> Verdict:
    counters = operation.stats.counters()
    broken = [text for limit in policy.limits if (text := _broken(limit, counters))]
    if not broken:
        return Finished()
    what = f"{operation.resource.value} operation {operation.id} is COMPLETED, but {'; '.join(broken)}"
    return Failed("threshold", f"{what}. All counters: {counters_text(counters)}.")


def _broken(limit: Threshold, counters: Mapping[str, int]) -> str | None:
    value = counters.get(limit.counter, 0)
    if not limit.is_share:
        return f"{limit.counter} is {value}, the limit {limit.written}" if value > limit.most else None
    whole = recipients_of(counters)
    share = ratio(value, whole)
    if share is None or share <= limit.most:
        return None
    return f"{limit.counter} is {value} of {whole} recipients ({share:.1%}), the limit {limit.written}"


def counters_text(counters: Mapping[str, int]) -> str:
    """Return the counters on one line, such as `recipients=10 sent=7 delivered=5`; zeros are left out."""
    counted = (f"{name}={value}" for name, value in counters.items() if value)
    return " ".join(counted) or "no counter above 0"


def state_text(xcom: Mapping[str, Any]) -> str:
    """
    Return an operation's state on one line.

    :param xcom: as `operation_xcom` has it.
    """
    return f"{xcom['resource']} operation {xcom['id']} is {xcom['status']}: {counters_text(xcom['stats'])}"


def operation_xcom(operation: Operation) -> dict[str, Any]:
    """
    Return what a task hands on of an operation: plain JSON of a few hundred bytes.

    :return: `{"id", "resource", "status", "created_at", "updated_at", "stats"}`; moments as ISO 8601 in UTC,
        stats as counter to whole number, those that the API reported.
    """
    return {
        "id": operation.id,
        "resource": operation.resource.value,
        "status": str(operation.status),
        "created_at": format_utc(operation.created_at),
        "updated_at": format_utc(operation.updated_at),
        "stats": operation.stats.counters(),
    }


def event_of(verdict: Verdict, operations: Iterable[Operation] = ()) -> dict[str, Any]:
    """
    Return a verdict as plain JSON, for the way from the triggerer to the task; `conclude` reads it.

    :param operations: what was last seen of each operation, in the order of the result.
    """
    return {
        "verdict": type(verdict).__name__.lower(),
        "reason": getattr(verdict, "reason", None),
        "message": getattr(verdict, "message", None) or getattr(verdict, "warning", None),
        "operations": [operation_xcom(operation) for operation in operations],
    }

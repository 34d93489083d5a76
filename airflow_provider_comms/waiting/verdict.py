"""
What an operation's state means for a task: the same verdict in every mode.

An operation ends COMPLETED or CANCELED; there is no FAILED, so what counts as a failure is the task's policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from airflow_provider_comms.comms.resource import OperationStatus
from airflow_provider_comms.reports.figures import figures
from airflow_provider_comms.waiting.description import state_of
from airflow_provider_comms.waiting.targets import shown_id

if TYPE_CHECKING:
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.waiting.spec import WaitSpec

Reason = Literal["canceled", "threshold", "refused", "timeout", "no connection"]
"""Kinds of failure; `exceptions.TASK_EXCEPTIONS` says what a task raises for each."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not ended yet."""


@dataclass(frozen=True, slots=True)
class Finished:
    """
    The task succeeds.

    :param warning: a warning for the log, if any.
    """

    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """The task is to be skipped."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """
    The task is to fail: of what the operation has become, or because it cannot be waited for.

    :param reason: the kind of failure, which chooses the exception that the task raises.
    """

    reason: Reason
    message: str


End = Finished | Skipped | Failed
Verdict = Waiting | End


def judge(operation: Operation, spec: WaitSpec) -> Verdict:
    """Return what the operation's state means under the options of the wait."""
    if not operation.is_terminal:
        return _judge_running(operation, spec) if spec.fail_early else Waiting()
    if operation.status == OperationStatus.CANCELED:
        return _judge_canceled(operation, spec)
    return _judge_counters(operation, spec)


def _judge_running(operation: Operation, spec: WaitSpec) -> Verdict:
    counters = operation.stats.counters()
    derived = figures(operation.resource, counters)
    violations = [text for one in spec.thresholds() if (text := one.lasting_violation(counters, derived))]
    if not violations:
        return Waiting()
    return _failed(operation, violations, " It goes on without this task, as fail_early=True says.")


def _judge_canceled(operation: Operation, spec: WaitSpec) -> Verdict:
    message = f"{state_of(operation)} ({operation.resource.value} {shown_id(operation.id)})"
    if spec.on_canceled == "fail":
        return Failed("canceled", f"{message}. The task fails because of on_canceled='fail'.")
    if spec.on_canceled == "skip":
        return Skipped(f"{message}. The task is skipped because of on_canceled='skip'.")
    return Finished(warning=f"{message}. Not every recipient was sent to.")


def _judge_counters(operation: Operation, spec: WaitSpec) -> Verdict:
    counters = operation.stats.counters()
    counts = counters | figures(operation.resource, counters)
    violations = [text for one in spec.thresholds() if (text := one.violation(counts))]
    if not violations:
        return Finished()
    return _failed(operation, violations)


def _failed(operation: Operation, violations: list[str], note: str = "") -> Failed:
    where = f"({operation.resource.value} {shown_id(operation.id)})"
    return Failed("threshold", f"{'; '.join(violations)}. {state_of(operation)} {where}.{note}")

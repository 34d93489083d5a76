"""The end of a wait as plain JSON, for the way from the triggerer to the task: written and read here only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_comms.waiting.payload import with_figures
from airflow_provider_comms.waiting.verdict import Failed, Finished, Skipped

if TYPE_CHECKING:
    from airflow_provider_comms.waiting.verdict import End
    from airflow_provider_comms.xcoms import OperationXCom

VERSION = 1
"""Grows when an older version would misread an event. Those of 0.1.0 have none."""

_NAMES: dict[type[End], str] = {Finished: "finished", Skipped: "skipped", Failed: "failed"}


class UnreadableEventError(ValueError):
    """An event that this version cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEnd:
    """
    How a wait ended.

    :param verdict: what that means for the task.
    :param operations: XCom of each operation that was seen, in the order of the ids.
    :param is_list: whether a list of ids was waited for; None if the event's writer did not say.
    :param waited: seconds, if the event's writer said.
    :param resource: what was waited for, likewise.
    """

    verdict: End
    operations: list[OperationXCom] = field(default_factory=list)
    is_list: bool | None = None
    waited: float | None = None
    resource: str | None = None


def encode(end: WaitEnd) -> dict[str, object]:
    """Return the end of a wait as plain JSON."""
    verdict = end.verdict
    message = verdict.warning if isinstance(verdict, Finished) else verdict.message
    return {
        "version": VERSION,
        "verdict": _NAMES[type(verdict)],
        "reason": verdict.reason if isinstance(verdict, Failed) else None,
        "message": message,
        "operations": end.operations,
        "is_list": end.is_list,
        "waited": end.waited,
        "resource": end.resource,
    }


def decode(event: object) -> WaitEnd:
    """
    Read what :func:`encode` wrote, in this version or an older one.

    :raises UnreadableEventError: it is something else; Airflow's own events arrive as text in `airflow dags test`.
    """
    if not isinstance(event, Mapping) or event.get("version", VERSION) > VERSION:
        raise UnreadableEventError(repr(event)[:200])
    message, operations = event.get("message"), list(event.get("operations") or ())
    match event.get("verdict"):
        case "finished" if operations:
            verdict: End = Finished(message)
        case "skipped":
            verdict = Skipped(message or "")
        case "failed":
            verdict = Failed(event.get("reason") or "refused", message or "")
        case other:
            raise UnreadableEventError(repr(other)[:200])
    return WaitEnd(
        verdict=verdict,
        operations=[one if "figures" in one else with_figures(one) for one in operations],
        is_list=event.get("is_list"),
        waited=event.get("waited"),
        resource=event.get("resource"),
    )

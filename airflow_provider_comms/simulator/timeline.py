"""The state of an operation as a pure function of its plan and its age."""

from __future__ import annotations

from typing import Any

from airflow_provider_comms.simulator.identifiers import Resource
from airflow_provider_comms.simulator.plans import OperationPlan

_FIRST = ("total", "recipients", "attempts", "queued", "sent", "scheduled", "delivered")
#: The counters of each resource, in the order of the reference.
COUNTERS: dict[Resource, tuple[str, ...]] = {
    "emails": (*_FIRST, "opened", "failed", "undelivered", "canceled"),
    "messages": (*_FIRST, "read", "undelivered", "unaddressable", "failed", "canceled"),
}


def status_at(plan: OperationPlan, age_ms: int) -> str:
    """The status that an operation of this age shows."""
    if plan.raw_status is not None:
        return plan.raw_status
    if age_ms < plan.starts_ms:
        return "SCHEDULED"
    return "PROCESSING" if age_ms < plan.ends_ms else plan.ends_in


def changed_at(plan: OperationPlan, age_ms: int) -> int:
    """The age in milliseconds at which an operation of this age last changed."""
    return 0 if age_ms < plan.starts_ms else min(age_ms, plan.settles_ms)


def stats_at(plan: OperationPlan, resource: Resource, age_ms: int) -> dict[str, Any]:
    """The counters of an operation of this age, in the order of the reference."""
    computed = _counters(plan, age_ms)
    if plan.counters == "exclusive":
        computed["sent"] -= computed["delivered"] + computed["undelivered"]
        computed["delivered"] -= computed["opened"]
    stats = {name: computed[name] for name in COUNTERS[resource]} | plan.raw_stats
    return {name: count for name, count in stats.items() if name not in plan.omit_stats}


def item_status_at(plan: OperationPlan, resource: Resource, place: int, age_ms: int) -> str:
    """
    The status of the e-mail or message in a place of an operation of this age.

    The first ones fail, the next are not delivered, and so on; each keeps its place, so that what has ended stays so.
    """
    if age_ms < plan.starts_ms:
        return "SCHEDULED"
    final, now = plan.outcome, _counters(plan, age_ms)
    for name in ("failed", "undelivered", "canceled", "delivered"):
        if place < getattr(final, name):
            if name == "delivered" and place < now["opened"]:
                return "OPENED" if resource == "emails" else "READ"
            return name.upper() if place < now[name] else "QUEUED"
        place -= getattr(final, name)
    return "SENT" if age_ms >= plan.ends_ms else "QUEUED"


def _counters(plan: OperationPlan, age_ms: int) -> dict[str, int]:
    """
    Every counter of both resources.

    ``sent`` counts all that was handed over, whatever came of it, and runs a little ahead of the receipts.
    Only ``queued`` and ``scheduled`` ever fall.
    """
    final, elapsed, whole = plan.outcome, age_ms - plan.starts_ms, plan.ends_ms - plan.starts_ms
    waiting, over = elapsed < 0, age_ms >= plan.ends_ms
    accepted = plan.recipients - final.failed - final.unaddressable - final.canceled
    sent = _part(accepted, elapsed * 5, whole * 4)
    failed, unaddressable = _part(final.failed, elapsed, whole), _part(final.unaddressable, elapsed, whole)
    canceled = final.canceled if over else 0
    opened = _part(final.opened, elapsed, plan.settles_ms - plan.starts_ms)
    return {
        "total": plan.recipients,
        "recipients": plan.recipients,
        "attempts": sent + failed,
        "queued": 0 if waiting else plan.recipients - sent - failed - unaddressable - canceled,
        "sent": sent,
        "scheduled": plan.recipients if waiting else 0,
        "delivered": _part(final.delivered, elapsed, whole),
        "opened": opened,
        "read": opened,
        "undelivered": _part(final.undelivered, elapsed, whole),
        "unaddressable": unaddressable,
        "failed": failed,
        "canceled": canceled,
    }


def _part(count: int, elapsed: int, whole: int) -> int:
    """What of ``count`` is reached when ``elapsed`` of ``whole`` has passed, rounded down."""
    if elapsed < 0:
        return 0
    return count if elapsed >= whole else count * elapsed // whole

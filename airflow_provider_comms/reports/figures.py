"""
What became of the recipients, in figures that hold however Twilio counts.

Twilio's pages show its counters in two ways. *Cumulative*: `sent` 5, `delivered` 5, `opened` 3, each step counted
on top of the one before. *Exclusive*: `sent` 0, `delivered` 2, `opened` 3, everyone counted once, in the latest
state; there `delivered` falls while `opened` rises. Nothing in an answer says which it is but the counters themselves.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from airflow_provider_comms.comms.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Reading = Literal["cumulative", "exclusive"]

NOT_REACHED = ("failed", "undelivered", "unaddressable", "canceled")
"""Counters of recipients that were not reached."""
WAITING = ("queued", "scheduled")
"""Counters of recipients that wait in Twilio."""
_STATES = (*WAITING, "sent", "delivered", "opened", "read", "failed", "undelivered", "canceled")
_NONE_OF_EACH = (0,) * len(_STATES)


def engagement(resource: Resource) -> str:
    """Return the counter of recipients who opened what they received: `opened` for e-mails, `read` for messages."""
    return "read" if resource is Resource.MESSAGES else "opened"


def recipients_of(counters: Mapping[str, int]) -> int:
    """
    Return what shares are taken of: `recipients`, or `total` where that is more or the only one reported.

    Twilio counts states in created resources (`total`), the addressed in `recipients`; the two are mostly equal.
    """
    return max(counters.get("recipients", 0), counters.get("total", 0))


def reading(counters: Mapping[str, int]) -> Reading:
    """
    Return how the counters of one operation are to be read.

    Who is counted once cannot make the states add up to more than there is. Where that does not decide, both
    readings give the same figures, or the counters are those of the specification's own samples: exclusive.
    """
    states = sum(map(counters.get, _STATES, _NONE_OF_EACH))  # Once per operation of a report.
    created = counters.get("total") or counters.get("recipients", 0)
    everyone = states + counters.get("unaddressable", 0)
    exceeds = states > created or everyone > recipients_of(counters)
    return "cumulative" if created and exceeds else "exclusive"


def figures(resource: Resource, counters: Mapping[str, int]) -> dict[str, int]:
    """
    Return what became of the recipients of one operation.

    :param resource: kind of the operation.
    :param counters: as the operation reports them; of one operation, since each is read by itself.
    :return: always the same keys: `recipients`; `reached` (delivered, `opened` or `read`); `opened` (e-mails) or
        `read` (messages); `not_reached` and its parts `failed`, `undelivered`, `unaddressable`, `canceled`;
        `in_progress` (queued, scheduled, or sent without an outcome yet). In a consistent answer
        reached + not_reached + in_progress is at most recipients. For several operations add these up with `totals`.
    """
    engaged, recipients = engagement(resource), recipients_of(counters)
    delivered, further = counters.get("delivered", 0), counters.get("opened", 0) + counters.get("read", 0)
    lost = {name: counters.get(name, 0) for name in NOT_REACHED}
    not_reached = sum(lost.values())
    waiting, sent = counters.get("queued", 0) + counters.get("scheduled", 0), counters.get("sent", 0)
    if reading(counters) == "cumulative":
        reached = max(delivered, further)
        unsettled = waiting + max(0, sent - reached - lost["undelivered"])
        in_progress = max(0, min(unsettled, recipients - reached - not_reached))
    else:
        reached, in_progress = delivered + further, waiting + sent
    return {
        "recipients": recipients,
        "reached": reached,
        engaged: counters.get(engaged, 0),
        "not_reached": not_reached,
        **lost,
        "in_progress": in_progress,
    }


def no_figures(resource: Resource) -> dict[str, int]:
    """Return the figures of no operation at all: every key, and 0."""
    return figures(resource, {})


def totals(many: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """
    Add up each figure or counter over operations; those of one operation are never added to each other.

    :param many: figures or counters of each operation.
    :return: by name, the sum.
    """
    sums: Counter[str] = Counter()
    for counters in many:
        sums.update(counters)
    return dict(sums)

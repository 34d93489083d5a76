"""States of operations in words, for the log and for messages: the state first, the ids last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.redaction import excerpt
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.sentences import delivery, progress
from airflow_provider_comms.waiting.targets import label_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.xcoms import OperationXCom

MAX_NAMED = 5
"""Pending operations that a message names."""
_LONGEST_STATUS = 40
TAKEN_OVER_AFTER = 15.0
"""Seconds; a wait that a triggerer begins later had another one before, or there was none for it."""


def state_of(operation: Operation) -> str:
    """Return an operation's state: `PROCESSING 51 %: 472 of 1,200 delivered, 4 failed (0.3 %), 588 queued`."""
    counters = operation.stats.counters()
    share = None if operation.is_terminal else progress(counters)
    how_far = "" if share is None else f" {share} %"
    delivered = delivery(operation.resource, [counters], with_rates=operation.is_terminal)
    return f"{shown_status(operation.status)}{how_far}: {delivered}"


def begun_line(host: str, version: str, begun_ago: float) -> str:
    """
    Return the line of a triggerer that begins to poll: two of them in a log mean that a wait changed hands.

    :param host: where the triggerer runs.
    :param version: of this provider there.
    :param begun_ago: seconds since the wait began.
    """
    where = f"in the triggerer on {host}, airflow-provider-comms {version}"
    if begun_ago < TAKEN_OVER_AFTER:
        return f"Waiting {where}"
    why = "from another triggerer or because none was free"
    return f"Taken over {begun_ago:.0f} s after the wait began, {why}: now {where}"


def shown_status(status: str) -> str:
    """Return a status as logs and tables show it; the API may give any text for one."""
    return excerpt(str(status), length=_LONGEST_STATUS)


def states_of(pending: Sequence[str], seen: Mapping[str, Operation]) -> str:
    """Return the last known states of pending operations; of some of them where they are many."""
    states = [
        f"{one}: {state_of(seen[one])}" if one in seen else f"{one} was never read" for one in pending[:MAX_NAMED]
    ]
    more = len(pending) - MAX_NAMED
    return "; ".join([*states, f"and {more:,} more"] if more > 0 else states)


def ended_line(operations: Sequence[OperationXCom], waited: float | None = None) -> str:
    """
    Return what became of operations, on one line.

    :param operations: their XComs, of one resource.
    :param waited: seconds; left out if not known.
    """
    unique = {one["id"]: one for one in operations}
    resource = Resource(operations[0]["resource"])
    statuses = Counter(str(one["status"]) for one in unique.values())
    if len(unique) == 1:
        state = shown_status(next(iter(statuses)))
    else:
        state = ", ".join(f"{number:,} {shown_status(status)}" for status, number in statuses.items())
    delivered = delivery(resource, [one["stats"] for one in unique.values()], with_rates=True)
    after = "" if waited is None else f", after {waited:,.0f} s"
    return f"{state}: {delivered}{after} ({resource.value} {label_of(list(unique))})"

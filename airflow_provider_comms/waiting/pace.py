"""When to poll again. Pure and without memory, so that a rescheduled poll knows as much as any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.comms.resource import OperationStatus
from airflow_provider_comms.reports.figures import recipients_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_comms.comms.models import Operation

MIN_ADAPTIVE_INTERVAL = 5.0
"""Seconds that an adaptive wait keeps between two polls, unless the interval itself is shorter."""
SCHEDULED_FACTOR = 4.0
STALLED_FACTOR = 2.0
NEARLY_DONE_FACTOR = 0.25
NEARLY_DONE_SHARE = 10
"""One in this many recipients may still be queued for the end to be near."""


def next_interval(poke_interval: float, pending: Iterable[Operation], now: float) -> float:
    """
    Return the seconds until the next poll of an adaptive wait.

    Four times the interval while SCHEDULED, twice while nothing has moved for five intervals, a quarter
    (5 s at least) when less than a tenth of the recipients is still queued; the quickest of several operations.

    :param poke_interval: seconds, as the DAG's author set it.
    :param pending: what was last seen of the operations that have not ended.
    :param now: seconds since the epoch.
    """
    factor = min((_factor(operation, poke_interval, now) for operation in pending), default=1.0)
    return max(min(MIN_ADAPTIVE_INTERVAL, poke_interval), poke_interval * factor)


def longest_interval(poke_interval: float) -> float:
    """Return the most seconds that any pace leaves between two polls."""
    return poke_interval * max(SCHEDULED_FACTOR, STALLED_FACTOR)


def _factor(operation: Operation, poke_interval: float, now: float) -> float:
    if operation.status == OperationStatus.SCHEDULED:
        return SCHEDULED_FACTOR
    whole = recipients_of(operation.stats.counters())
    left = operation.stats.queued + operation.stats.scheduled
    if whole and left * NEARLY_DONE_SHARE <= whole:
        return NEARLY_DONE_FACTOR
    return STALLED_FACTOR if now - operation.updated_at.timestamp() > 5 * poke_interval else 1.0

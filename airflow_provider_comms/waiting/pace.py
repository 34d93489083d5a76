"""When to look again. Pure and without memory, so that a rescheduled look knows as much as any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.comms.resource import OperationStatus
from airflow_provider_comms.reports.figures import recipients_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_comms.comms.models import Operation

DEFAULT_TIMEOUT = 86_400.0
"""Seconds until a wait is given up: a day, well below the 7 days that Twilio keeps an operation."""
DEFAULT_GRACE = 30.0
"""Seconds in which an operation that was just made may still be unknown to the API."""

FLOOR = 5.0
"""Seconds that an adaptive pace keeps between two looks, unless the interval itself is shorter."""
SCHEDULED = 4.0
STALLED = 2.0
NEARLY_DONE = 0.25
NEAR = 0.1
"""Share of the recipients that may still be queued for the end to be near."""


def next_interval(poke_interval: float, pending: Iterable[Operation], now: float) -> float:
    """
    Return the seconds until the next look of an adaptive wait.

    Four times the interval while SCHEDULED, twice while nothing has moved for five intervals, a quarter
    (5 s at least) when less than a tenth of the recipients is still queued; the quickest of several operations.

    :param poke_interval: seconds, as the DAG's author set it.
    :param pending: what was last seen of the operations that have not ended.
    :param now: seconds since the epoch.
    """
    factor = min((_factor(operation, poke_interval, now) for operation in pending), default=1.0)
    return max(min(FLOOR, poke_interval), poke_interval * factor)


def longest_interval(poke_interval: float) -> float:
    """Return the most seconds that any pace leaves between two looks."""
    return poke_interval * max(SCHEDULED, STALLED)


def _factor(operation: Operation, poke_interval: float, now: float) -> float:
    if operation.status == OperationStatus.SCHEDULED:
        return SCHEDULED
    whole = recipients_of(operation.stats.counters())
    left = operation.stats.queued + operation.stats.scheduled
    if whole and left <= whole * NEAR:
        return NEARLY_DONE
    return STALLED if now - operation.updated_at.timestamp() > 5 * poke_interval else 1.0

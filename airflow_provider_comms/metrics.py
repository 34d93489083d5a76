"""Metrics, through Airflow's Stats. They hold no id, and never fail what they count."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import Stats

from airflow_provider_comms.waiting.verdict import Failed, Finished

if TYPE_CHECKING:
    from airflow_provider_comms.comms.observer import Exchange
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.waiting.event import WaitEnd

log = logging.getLogger(__name__)

TOO_MANY_REQUESTS = "429"


def count_request(exchange: Exchange) -> None:
    """Count a request of a client and the time it took; an observer of `ClientSettings`."""
    tags = {"resource": exchange.resource, "method": exchange.method}
    _count("comms.request", tags | {"status": exchange.status})
    _time("comms.request.duration", exchange.seconds, tags)
    if exchange.status == TOO_MANY_REQUESTS:
        _count("comms.request.throttled", tags)
    if exchange.attempt > 1:
        _count("comms.request.retried", tags)


def time_poll(resource: Resource, seconds: float) -> None:
    """Note how long a poll took that was for all waits of a resource."""
    _time("comms.poll.duration", seconds, {"resource": resource.value})


def count_wait(end: WaitEnd) -> None:
    """Count a wait that has ended, by its outcome."""
    tags = {"resource": end.resource or "unknown", "outcome": _outcome(end)}
    _count("comms.wait.ended", tags)
    if end.waited is not None:
        _time("comms.wait.duration", end.waited, tags)


def _outcome(end: WaitEnd) -> str:
    match end.verdict:
        case Failed(reason, _):
            return reason.replace(" ", "_")
        case Finished():
            return "finished"
    return "skipped"


def _count(name: str, tags: dict[str, str]) -> None:
    try:
        Stats.incr(name, tags=tags)
    except Exception:  # Whatever a backend of metrics raises.
        log.debug("The metric %s could not be sent.", name, exc_info=True)


def _time(name: str, seconds: float, tags: dict[str, str]) -> None:
    try:
        Stats.timing(name, timedelta(seconds=seconds), tags=tags)
    except Exception:  # Whatever a backend of metrics raises.
        log.debug("The metric %s could not be sent.", name, exc_info=True)

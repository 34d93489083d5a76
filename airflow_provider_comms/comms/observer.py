"""Who wants to know of each request of a client, for metrics: told of what came of it, never of ids or credentials."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsError

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_RESPONSE = "no_response"
CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    One request, and what came of it.

    :param resource: "emails" or "messages".
    :param method: of HTTP.
    :param status: HTTP status as text; where no complete response came, why: a value of `Cause`, `no_response` if
        that is not known, or `canceled` if the caller had left.
    :param attempt: which request of its call it was, from 1; a later one is a retry.
    :param seconds: until the response was complete and read.
    """

    resource: str
    method: str
    status: str
    attempt: int
    seconds: float


Observer = Callable[[Exchange], None]
"""Called on the thread that sends, so it must be quick. What it raises is logged, and changes nothing."""


@contextmanager
def observing(observer: Observer | None, resource: str, method: str, attempt: int) -> Iterator[Callable[[int], None]]:
    """
    Tell an observer of the request that is sent meanwhile.

    :return: what to call with the HTTP status of a response that could be read.
    """
    begun, status = monotonic(), CANCELED

    def succeed(with_status: int) -> None:
        nonlocal status
        status = str(with_status)

    if observer is None:
        yield succeed
        return
    try:
        yield succeed
    except CommsError as error:
        status = str(error.context.status or error.context.cause or NO_RESPONSE)
        raise
    finally:
        _tell(observer, Exchange(resource, method, status, attempt, monotonic() - begun))


def _tell(observer: Observer, exchange: Exchange) -> None:
    try:
        observer(exchange)
    except Exception as error:  # noqa: BLE001
        # In its place the result of a send would be lost. What it says is not shown: it is not ours.
        logging.getLogger(__name__).warning("An observer of requests failed with %s.", type(error).__name__)

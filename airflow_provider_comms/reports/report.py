"""One pass over a window: every operation is summed up, written as a row, and forgotten."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from airflow_provider_comms.comms.errors import CommsRecordError
from airflow_provider_comms.reports.figures import figures
from airflow_provider_comms.reports.rows import row_of
from airflow_provider_comms.reports.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.reports.spool import Spool
    from airflow_provider_comms.reports.window import Window

    OnProgress = Callable[["Progress"], None]

PROGRESS_INTERVAL = 5.0
"""Seconds between two reports of progress."""
_MARGIN = timedelta(minutes=1)
_CHECK_EVERY = 500
"""Operations between two checks of the clock."""


class Client(Protocol):
    """What lists operations, as CommsClient does."""

    def list_operations(
        self,
        resource: str,
        *,
        start_date: datetime | str | None,
        end_date: datetime | str | None,
        status: str | None,
        parallel: int,
        strict: bool,
    ) -> Iterator[Operation]:
        """List operations over all pages, each of them once; strict, raise at the end what could not be read."""


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a report has come.

    :param operations: listed so far, of all resources.
    :param seconds: since it began.
    """

    resource: Resource
    operations: int
    seconds: float

    def __str__(self) -> str:
        """Return it as a line for the log."""
        rate = self.operations / self.seconds if self.seconds else 0.0
        return f"{self.operations:,} operations in {self.seconds:.0f} s ({rate:,.0f} a second), now {self.resource}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpec:
    """
    What a report is about.

    :param resources: kinds of operations, each summed up by itself.
    :param window: operations that were created in it.
    :param status: only operations in this status; None for all.
    :param top: how many of the worst operations are kept.
    :param parallel: slices of the window that are listed side by side.
    """

    resources: Sequence[Resource]
    window: Window
    status: str | None = None
    top: int = 20
    parallel: int = 8


def collect(
    client: Client,
    spec: ReportSpec,
    spool: Spool | None = None,
    on_progress: OnProgress = lambda _: None,
    progress_interval: float = PROGRESS_INTERVAL,
) -> dict[Resource, Summary]:
    """
    List a window once and sum it up; memory does not grow with the number of operations.

    :param spool: takes a row for each operation; None for a report without rows.
    :param on_progress: called now and then, from this thread.
    :param progress_interval: seconds between two of these calls.
    :return: the sums by resource.
    :raises CommsError: of the listing.
    """
    ticker = _Ticker(on_progress, progress_interval)
    buckets = spec.window.buckets
    summaries = {}
    for resource in spec.resources:
        summary = summaries[resource] = Summary(resource, buckets, spec.top)
        try:
            for operation in _listed(client, spec, resource):
                counters = operation.stats.counters()
                derived = figures(resource, counters)
                summary.add(operation, counters, derived)
                if spool:
                    spool.add(operation, row_of(operation, counters, derived))
                ticker.tick(resource)
        except CommsRecordError as error:  # At the end, when the others have been listed.
            summary.unreadable = error.message.partition(". ")[0]
    return summaries


def _listed(client: Client, spec: ReportSpec, resource: Resource) -> Iterator[Operation]:
    return client.list_operations(
        resource.value,
        start_date=spec.window.start,
        end_date=spec.window.end,
        status=spec.status,
        parallel=spec.parallel,
        # Where the window is older, strict would refuse it; the report has its own note on that.
        strict=not spec.window.reaches_past_retention(datetime.now(UTC) + _MARGIN),
    )


class _Ticker:
    """Says how far it is, now and then."""

    def __init__(self, on_progress: OnProgress, interval: float) -> None:
        self._on_progress = on_progress
        self._interval = interval
        self._begun = self._said = time.monotonic()
        self._count = 0

    def tick(self, resource: Resource) -> None:
        self._count += 1
        if self._count % _CHECK_EVERY:
            return
        now = time.monotonic()
        if now - self._said >= self._interval:
            self._said = now
            self._on_progress(Progress(resource, self._count, now - self._begun))

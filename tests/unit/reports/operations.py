"""Operations for the tests of reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_comms.comms.models import EmailOperation, MessageOperation
from airflow_provider_comms.reports.figures import figures
from airflow_provider_comms.reports.window import window_of

START = datetime(2026, 11, 20, tzinfo=UTC)
WINDOW = window_of(START, START + timedelta(days=1))


def operation(number=0, status="COMPLETED", model=EmailOperation, at=START, **stats):
    return model(
        id=f"comms_operation_{number:026}",
        status=status,
        stats=stats or {"total": 10, "recipients": 10, "delivered": 9, "failed": 1},
        created_at=at,
        updated_at=at,
    )


def message(number=0, **kwargs):
    return operation(number, model=MessageOperation, **kwargs)


def parts(one):
    """What a report makes of an operation: itself, its counters, its figures."""
    counters = one.stats.counters()
    return one, counters, figures(one.resource, counters)

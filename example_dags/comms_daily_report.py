"""
Every day, list the operations that were created in the day before, for each resource, and add up their counters.

The data interval must span the day, so the schedule is a CronDataIntervalTimetable: a plain cron expression gives
empty intervals in Airflow 3.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.reports.figures import figures, no_figures, totals
from airflow_provider_comms.reports.rates import rates

with DAG(
    dag_id="comms_daily_report",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2},
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:

    @task
    def report(
        resource: str, data_interval_start: datetime | None = None, data_interval_end: datetime | None = None
    ) -> dict[str, Any]:
        """List a day's operations and return their sums; the list itself stays out of the XCom."""
        operations = CommsHook().list_operations(resource, start_date=data_interval_start, end_date=data_interval_end)
        statuses: Counter[str] = Counter()
        counters, derived = [], [no_figures(Resource(resource))]
        for operation in operations:
            statuses[str(operation.status)] += 1
            counters.append(operation.stats.counters())
            derived.append(figures(Resource(resource), counters[-1]))
        stats, sums = totals(counters), totals(derived)
        return {"resource": resource, "operations": dict(statuses), "stats": stats, "rates": rates(sums)}

    report.expand(resource=["emails", "messages"])

"""When a wait began: where each poll is a process of its own (reschedule), only Airflow knows."""

from __future__ import annotations

from datetime import datetime
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseSensorOperator, Context


def started_at(sensor: BaseSensorOperator, context: Context) -> float:
    """
    Return when Airflow's own clock for the sensor's timeout began; now at the first poll.

    :return: seconds since the epoch.
    """
    first = _first_poll(sensor, context) if sensor.reschedule else None
    if isinstance(first, str):  # So it is in Airflow 3.0.
        first = datetime.fromisoformat(first)
    return first.timestamp() if first else time()


def _first_poll(sensor: BaseSensorOperator, context: Context) -> datetime | str | None:
    ti = context["ti"]
    if hasattr(ti, "get_first_reschedule_date"):
        return ti.get_first_reschedule_date(context)
    # Airflow 2 has no public way; this is what its own loop asks. Airflow's own timeout holds without it.
    try:
        from airflow.sensors.base import _orig_start_date  # noqa: TID251
    except ImportError:
        return None
    first_try = (ti.max_tries or 0) - (sensor.retries or 0) + 1
    first: datetime | None = _orig_start_date(ti.dag_id, ti.task_id, ti.run_id, ti.map_index, first_try)
    return first

"""Which stretch of time a run of a DAG reports on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pendulum

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.reports.window import Window, window_of, zone_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_ADVICE = (
    "Give window_start and window_end, or let the DAG's schedule have data intervals: "
    'schedule=CronDataIntervalTimetable("0 6 * * *", timezone="UTC"), of airflow.timetables.interval. '
    "In Airflow 3 a plain cron expression has none, nor has a run that an asset or a REST call without a logical date "
    "started."
)


def window_of_run(context: Context, start: object, end: object, timezone: str) -> Window:
    """
    Return the window that the arguments name; else the run's partition, or its data interval.

    :param start: None or an empty text where it is not given.
    :param end: likewise.
    :param timezone: name of the zone that days and hours are of.
    :raises CommsArgumentError: there is none, only half of one, or it is invalid.
    """
    if window := given_window(start, end, timezone):
        return window
    if partition := context.get("partition_date"):
        return _day_of(partition, timezone)
    interval = context.get("data_interval_start"), context.get("data_interval_end")
    if None not in interval and interval[0] != interval[1]:
        return window_of(*interval, timezone)
    raise CommsArgumentError("There is no window to report on: the run has no data interval.", advice=_ADVICE)


def given_window(start: object, end: object, timezone: str) -> Window | None:
    """
    Return the window that the arguments name; None if they name none.

    :raises CommsArgumentError: only half of one, or it is invalid.
    """
    missing = [one in (None, "") for one in (start, end)]
    if all(missing):
        return None
    if any(missing):
        raise CommsArgumentError(
            f"window_start={start!r} and window_end={end!r} are only half a window.", advice="Give both, or neither."
        )
    return window_of(start, end, timezone)


def _day_of(partition: pendulum.DateTime, timezone: str) -> Window:
    day = pendulum.instance(partition).in_timezone(zone_of(timezone))
    if day != day.start_of("day"):
        raise CommsArgumentError(
            f"The run's partition {day} is not a day of {timezone}.",
            advice="Set the timezone of the partitions, or give window_start and window_end.",
        )
    return window_of(day, day.add(days=1), timezone)

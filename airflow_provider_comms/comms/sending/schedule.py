"""When a send goes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_comms.comms.arguments import check_datetime
from airflow_provider_comms.comms.errors import ApiError
from airflow_provider_comms.comms.resource import RETENTION_DAYS, Resource
from airflow_provider_comms.comms.sending.problems import refusal
from airflow_provider_comms.comms.timestamps import format_utc

MAX_DAYS_AHEAD = 30


def schedule_of(send_at: datetime | str | None, resource: Resource) -> dict[str, list[str]] | None:
    """
    Return the schedule of a send, None to send it now.

    :param send_at: aware, or ISO 8601 with an offset; 30 days ahead at most.
    :raises CommsArgumentError: it is not, or later than that.
    """
    at = check_datetime("send_at", send_at)
    if at is None:
        return None
    if at > datetime.now(UTC) + timedelta(days=MAX_DAYS_AHEAD):
        raise refusal(resource, ApiError(None, f"is more than {MAX_DAYS_AHEAD} days ahead", "send_at"))
    return {"sendAt": [format_utc(at)]}


def schedule_warnings(schedule: dict[str, list[str]] | None) -> list[str]:
    """Say what may not have been meant."""
    if schedule is None:
        return []
    at, now = datetime.fromisoformat(schedule["sendAt"][0]), datetime.now(UTC)
    if at <= now:
        return ["send_at is in the past; Twilio does not say what it does then."]
    if at > now + timedelta(days=RETENTION_DAYS):
        days = f"{RETENTION_DAYS} days"
        return [f"send_at is more than {days} ahead: Twilio keeps an operation for {days}, so it may be gone by then."]
    return []

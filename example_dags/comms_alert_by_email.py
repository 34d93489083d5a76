"""E-mail the team when a task has failed and has no retries left, with a failure callback."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_comms.notifications.comms import CommsNotifier

TEAM = CommsNotifier(
    resource="emails",
    to=["data-team@example.com", "on-call@example.com"],
    from_={"address": "airflow@example.com", "name": "Airflow"},
    subject="{{ ti.dag_id }}.{{ ti.task_id }} has failed",
    text="Run {{ run_id }}, try {{ ti.try_number }}.",
)

with DAG(
    dag_id="comms_alert_by_email",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"on_failure_callback": [TEAM]},
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:

    @task
    def load() -> None:
        """Fail, as any load may one day."""
        raise RuntimeError("The table is not there.")

    load()

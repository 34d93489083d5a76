"""Send one message per order, each in a mapped task of its own, and message the person on call if one of them fails."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_comms.notifications.comms import CommsNotifier
from airflow_provider_comms.operators.send import CommsSendMessagesOperator

ON_CALL = CommsNotifier(
    resource="messages",
    to="+14155550199",
    text="{{ ti.task_id }} of {{ ti.dag_id }} has failed, run {{ run_id }}",
)

with DAG(
    dag_id="comms_order_messages",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 1, "on_failure_callback": [ON_CALL]},
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:

    @task
    def orders() -> list[dict[str, str]]:
        """Return the orders that have shipped; keys other than `address` are variables."""
        return [
            {"address": "+14155550100", "name": "Kim", "order": "17"},
            {"address": "+14155550101", "name": "Jo", "order": "18"},
        ]

    # Airflow does not render the data in `expand(to=...)`, so what customers wrote is never a template.
    CommsSendMessagesOperator.partial(
        task_id="send",
        text='Hi {{ name | default: "there" }}, your order {{ order | default: "" }} is on its way.',
        wait_for_completion=True,
        deferrable=True,
        poke_interval=7,
    ).expand(to=orders())

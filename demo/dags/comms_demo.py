"""
Send to the recipients of a file, wait until Twilio is through, and use the delivery stats.

`make demo` runs this DAG against a simulated API. No worker is held while it waits.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import DAG, Param, TaskGroup, task

from airflow_provider_comms.operators.send import CommsSendEmailsOperator, CommsSendMessagesOperator
from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from airflow_provider_comms.reports.rates import percent
from airflow_provider_comms.sensors.operation import CommsOperationSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator

RECIPIENTS = Path(os.environ.get("COMMS_DEMO_RECIPIENTS", "recipients"))
"""Where the demo puts the recipients' files."""
HTML = "<p>Hello {{ first_name | default: 'dear reader' }}, this week in {{ city | default: 'your town' }}: cake.</p>"


@task
def use_stats(result: Any) -> str:
    """Use the figures as any other numbers."""
    figures, share = result["figures"], percent(result["rates"]["reached_of_recipients"])
    return f"{figures['reached']:,} of {figures['recipients']:,} reached ({share})"


def wait_and_report(send: BaseOperator, resource: str) -> None:
    """Add what follows a send."""
    wait = CommsOperationSensor(
        task_id="wait", resource=resource, operation_id=send.output, deferrable=True, poke_interval=7
    )
    export_stats = CommsExportStatsOperator(task_id="export_stats", resource=resource, operation_id=wait.output)
    use_stats(export_stats.output)


with DAG(
    dag_id="comms_demo",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 1},
    params={
        "emails": Param(str(RECIPIENTS / "emails.csv"), type="string", description="whom the e-mail goes to"),
        "messages": Param(str(RECIPIENTS / "messages.csv"), type="string", description="whom the message goes to"),
    },
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:
    with TaskGroup("emails"):
        send_emails = CommsSendEmailsOperator(
            task_id="send",
            from_={"address": "kitchen@example.com", "name": "The Kitchen"},
            to="{{ params.emails }}",
            subject="Cakes of the week",
            html=HTML,
        )
        wait_and_report(send_emails, "emails")
    with TaskGroup("messages"):
        send_messages = CommsSendMessagesOperator(
            task_id="send",
            to="{{ params.messages }}",
            text="Your cake is ready, {{ first_name | default: 'dear guest' }}.",
        )
        wait_and_report(send_messages, "messages")

"""
E-mail somebody if an operation has not ended two hours after its DAG run was queued, while the wait continues.

The deadline is Airflow's DeadlineAlert (3.1 and later); an older Airflow waits without it. Trigger it with the id that
Twilio returned for the send: `{"operation_id": "comms_operation_..."}`. The e-mail goes through the connection
`smtp_default`, whose extra names the sender: `{"from_email": "airflow@example.com"}`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_comms.sensors.operation import CommsOperationSensor

try:
    from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference
except ImportError:
    deadline: dict[str, Any] = {}
else:
    # The triggerer sends it, so any notifier with `async_notify` works.
    mail = AsyncCallback(
        "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        kwargs={
            "to": "oncall@example.com",
            "subject": "Not delivered after two hours: {{ dag_run.dag_run_id }}",
            "html_content": "{{ dag_run.dag_id }} still waits for {{ dag_run.conf['operation_id'] }}.",
        },
    )
    deadline = {
        "deadline": DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=timedelta(hours=2), callback=mail
        )
    }

with DAG(
    dag_id="comms_delivery_deadline",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 1},
    params={"operation_id": Param("comms_operation_01h9krwprkeee8fzqspvwy6nq8", type="string")},
    tags=["twilio", "comms"],
    doc_md=__doc__,
    **deadline,
) as dag:
    CommsOperationSensor(
        task_id="wait",
        resource="emails",
        operation_id="{{ params.operation_id }}",
        deferrable=True,
        poke_interval=7,
    )

"""
A newsletter: a query's result is written to a file, sent, waited for, and reported on.

The recipients go through a file, so that no XCom and no page of Airflow's UI shows them. A retry or a Clear of `send`
sends nothing twice: it adopts what an earlier try sent. Trigger it with `{"dry_run": true}` to check everything and
send nothing.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, ObjectStoragePath, Param, task

from airflow_provider_comms.operators.send import CommsSendEmailsOperator
from airflow_provider_comms.reports.rates import percent
from airflow_provider_comms.sensors.operation import CommsOperationSensor

HTML = """
<p>Hello {{ first_name | default: "there" }},</p>
<p>this is issue {{ issue | default: "" }} of our newsletter.</p>
"""
"""A template in Liquid, which Twilio fills in for each recipient."""

with DAG(
    dag_id="comms_newsletter",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 1},
    params={
        "folder": Param("/tmp", type="string", description="Where the recipients' file goes; such as s3://..."),  # noqa: S108
        "dry_run": Param(False, type="boolean"),
    },
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:

    @task
    def export(params: dict[str, str], run_id: str) -> str:
        """Write the recipients to a file, as a query in the warehouse would (UNLOAD, COPY INTO)."""
        subscribers = [(f"subscriber{number}@example.com", f"Kim {number}") for number in range(25)]
        path = ObjectStoragePath(params["folder"]) / f"newsletter_{run_id.replace(':', '-').replace('+', '-')}.csv"
        with path.open("w") as file:
            csv.writer(file).writerows([("address", "first_name"), *subscribers])
        return str(path)

    send = CommsSendEmailsOperator(
        task_id="send",
        from_={"address": "news@example.com", "name": "Example News"},
        to=export(),
        subject='Issue {{ issue | default: "" }}',
        html=HTML,
        # Values from Airflow reach the content as variables of every recipient.
        variables={"issue": "{{ run_id }}"},
        headers={"List-Unsubscribe": "<https://example.com/unsubscribe>"},
        tags={"campaign": "newsletter"},
        max_recipients=1_000,
        dry_run="{{ params.dry_run }}",
    )

    wait = CommsOperationSensor(
        task_id="wait",
        resource="emails",
        operation_id=send.output,
        deferrable=True,
        poke_interval=7,
        # Downstream tasks run only if enough recipients were reached.
        fail_if={"reached": "< 80%"},
    )

    @task
    def report(operations: list[dict[str, dict[str, int]]]) -> str:
        """Print how many were reached."""
        reached = sum(one["figures"]["reached"] for one in operations)
        recipients = sum(one["figures"]["recipients"] for one in operations)
        sentence = f"{reached} of {recipients} reached ({percent(reached / recipients)})"
        print(sentence)
        return sentence

    report(wait.output)

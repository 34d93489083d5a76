"""
Every day, report on the operations of the day before: an HTML page, rows, and an e-mail to the team.

The data interval must span the day, so the schedule is a CronDataIntervalTimetable: a plain cron expression gives
empty intervals in Airflow 3. Trigger it with `{"output": "s3://aws_default@bucket/reports"}` to keep the files. The
e-mail goes through the connection `smtp_default`; its extra names the sender: `{"from_email": "airflow@example.com"}`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, Param
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_comms.operators.report import CommsReportOperator

with DAG(
    dag_id="comms_daily_report",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2},
    params={
        "output": Param("", type="string", description="folder for the files; empty for none"),
        "mail_to": Param("team@example.com", type="string", format="email"),
    },
    tags=["twilio", "comms"],
    doc_md=__doc__,
) as dag:
    CommsReportOperator(
        task_id="report",
        resource=["emails", "messages"],
        output="{{ params.output }}",
        formats=["jsonl.gz"],
        # Any other notifier, such as Slack's, works as well. If it fails, the log says so.
        on_success_callback=SmtpNotifier(
            to="{{ params.mail_to }}",
            subject="{{ ti.xcom_pull(task_ids='report')['summary']['text'].splitlines() | first }}",
            html_content="<pre>{{ ti.xcom_pull(task_ids='report')['summary']['text'] | e }}</pre>",
        ),
    )

"""Sends, to recipients of a file, that end in every way: sent and waited for, retried, refused, unknown, cleared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_comms.operators.send import CommsSendEmailsOperator, CommsSendMessagesOperator

PEOPLE = "{{ dag_run.conf['folder'] }}"
EMAIL = {
    "from_": {"address": "news@example.com", "name": "News"},
    "to": f"{PEOPLE}/people.csv",
    "subject": "Hi {{ first_name | default: 'there' }}",
    "html": "<p>Hi</p>",
    "confirm_for": 1,
}

with DAG(dag_id="sends_to_canaries", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    CommsSendEmailsOperator(
        task_id="waited_for",
        comms_conn_id="send_waited_for",
        wait_for_completion=True,
        deferrable=True,
        poke_interval=7,
        **EMAIL,
    )
    CommsSendEmailsOperator(
        task_id="retried",
        comms_conn_id="send_retried",
        chunk_size=2,
        retries=1,
        retry_delay=timedelta(seconds=1),
        **EMAIL,
    )
    CommsSendEmailsOperator(task_id="unknown", comms_conn_id="send_unknown", retries=1, **EMAIL)
    CommsSendMessagesOperator(
        task_id="refused", comms_conn_id="send_refused", to=f"{PEOPLE}/phones.jsonl", text="Hi", retries=1
    )

with DAG(dag_id="sends_to_clear", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    CHUNKS = EMAIL | {"comms_conn_id": "send_cleared", "chunk_size": 2}
    CommsSendEmailsOperator(task_id="sent", **CHUNKS)
    CommsSendEmailsOperator(task_id="waited_for", wait_for_completion=True, deferrable=True, poke_interval=1, **CHUNKS)
    subjects = [CHUNKS | {"subject": "One"}, CHUNKS | {"subject": "Two"}]
    CommsSendEmailsOperator.partial(task_id="mapped").expand_kwargs(subjects)

"""
The public API as its users write it, for type checkers: mypy and basedpyright read this file, and nothing runs it.

`assert_type` fails where a type is another than its users may rely on; a `type: ignore` fails where the mistake that it
marks is no longer seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_type

from airflow.sdk.definitions.mappedoperator import MappedOperator

from airflow_provider_comms.comms import (
    Accepted,
    AsyncCommsClient,
    ClientSettings,
    CommsClient,
    CommsError,
    EmailSend,
    MessageSend,
    Operation,
    OperationStats,
    OperationStatus,
    RetryPolicy,
    Sighting,
    Timeouts,
)
from airflow_provider_comms.comms.errors import CommsNotFoundError, CommsRateLimitError, ErrorContext
from airflow_provider_comms.exceptions import CommsTaskFailed, CommsThresholdExceeded
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.notifications.comms import CommsNotifier
from airflow_provider_comms.operators.report import CommsReportOperator
from airflow_provider_comms.operators.send import CommsSendEmailsOperator, CommsSendMessagesOperator
from airflow_provider_comms.operators.stats import CommsExportStatsOperator
from airflow_provider_comms.reports.rates import percent, rates
from airflow_provider_comms.sensors.operation import CommsOperationSensor
from airflow_provider_comms.simulator import Fault, OperationPlan, Simulator
from airflow_provider_comms.xcoms import DeliveryXCom, OperationsXCom, OperationXCom, ReportSums, ReportXCom, SendXCom

ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"


def settings() -> ClientSettings:
    return ClientSettings(
        username="AC51005100510051005100510051005100",
        password="secret",
        timeouts=Timeouts(connect=5, attempt=10),
        retry=RetryPolicy(attempts=1),
    )


def blocking_client() -> None:
    with CommsClient(settings()) as client:
        assert_type(client, CommsClient)
        operation = client.get_operation("emails", ID)
        assert_type(operation, Operation)
        assert_type(operation.id, str)
        assert_type(operation.status, OperationStatus | str)
        assert_type(operation.created_at, datetime)
        assert_type(operation.is_terminal, bool)
        assert_type(operation.stats, OperationStats)
        assert_type(operation.stats.delivered, int)
        assert_type(operation.stats.counters(), dict[str, int])

        found = client.list_operations("emails", start_date=datetime.now(UTC), status="COMPLETED", limit=10, parallel=8)
        assert_type(found, Iterator[Operation])
        client.list_operations("emails", start_date="2026-11-20T00:00:00Z", end_date="2026-11-21T00:00:00Z")
        client.list_operations("emails", limit="10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        client.list_operations("emails", since="7d")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

        quick = client.with_options(timeouts=Timeouts(attempt=5))
        assert_type(quick.try_operations("emails", [ID]), dict[str, Operation | CommsError])


def sends(client: CommsClient) -> None:
    sender = {"address": "news@example.com", "name": "News"}
    email = EmailSend(from_=sender, to=["kim@example.com"], subject="Hello", html="<p>Hello</p>", tags={"run": "7"})
    assert_type(client.send_emails(email), Accepted)
    assert_type(client.send_messages(MessageSend(to=["+4930901820"], text="Hello")), Accepted)
    assert_type(client.find_sends("emails", "run:7"), Sighting)
    client.send_emails(MessageSend(to=["+4930901820"], text="Hello"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def async_client() -> None:
    async with AsyncCommsClient(settings()) as client:
        assert_type(await client.get_operation("messages", ID), Operation)
        assert_type(client.list_operations("messages"), AsyncIterator[Operation])
        async for operation_id, result in client.fetch_each("messages", [ID]):
            assert_type(operation_id, str)
            if not isinstance(result, CommsError):
                assert_type(result, Operation)


def errors(client: CommsClient) -> None:
    try:
        client.get_operation("emails", ID)
    except CommsNotFoundError as error:
        assert_type(error.context, ErrorContext)
        assert_type(error.context.operation_id, str | None)
    except CommsRateLimitError as error:
        assert_type(error.retry_after, float | None)
    except CommsError as error:
        assert_type(error.transient, bool)
        assert_type(error.message, str)


async def hook() -> None:
    hook = CommsHook("twilio_comms_default")
    assert_type(hook.get_conn(), CommsClient)
    assert_type(await hook.get_async_conn(), AsyncCommsClient)
    assert_type(hook.settings, ClientSettings)
    assert_type(hook.get_operation("emails", ID), Operation)
    assert_type(hook.list_operations("emails", limit=1), Iterator[Operation])
    assert_type(hook.test_connection(), tuple[bool, str])


def tasks() -> None:
    wait = CommsOperationSensor(
        task_id="wait",
        resource="emails",
        operation_id=[ID],
        deferrable=True,
        on_canceled="skip",
        fail_if={"failed": "2%", "undelivered": 50},
        poke_interval=timedelta(seconds=30),
        timeout=3600,
        retries=2,
    )
    assert_type(wait.deferrable, bool)
    CommsOperationSensor(task_id="wait", resource="emails", operation_id=ID, on_canceled="never")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CommsOperationSensor(task_id="wait", operation_id=ID)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CommsExportStatsOperator(task_id="export", resource="emails", operation_id=wait.output)
    mapped = CommsOperationSensor.partial(task_id="mapped", resource="emails").expand(operation_id=[ID])
    assert_type(mapped, MappedOperator)
    assert_type(CommsSendEmailsOperator.partial(task_id="sends").expand(to=[["kim@example.com"]]), MappedOperator)
    CommsSendEmailsOperator(
        task_id="send",
        to="people.csv",
        from_={"address": "news@example.com"},
        subject="Hello",
        html="<p>Hello {{ first_name }}</p>",
        wait_for_completion=True,
        fail_if={"reached": "< 95%"},
    )
    CommsSendEmailsOperator(
        task_id="send",
        to=wait.output,
        from_=wait.output,
        subject=Path("subject.txt"),
        html=wait.output,
        attachments=[Path("terms.pdf"), {"filename": "a.txt", "content": b"A"}],
    )
    CommsSendEmailsOperator(task_id="send", to=5, from_={}, subject="", html="")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CommsSendMessagesOperator(task_id="remind", to=["+4930901820"], text="Hello", send_at=datetime.now(UTC))
    rich = {"rcs": {"content": [{"text": "Hello"}]}}
    people = [{"address": "+4930901820", "first_name": "Kim", "spent": 7.5}]
    CommsSendMessagesOperator(task_id="rich", to=people, modules=[rich, {"sms": {"text": "Hi"}}], variables={"a": 1})
    CommsNotifier(resource="messages", to="+4930901820", text="{{ ti.task_id }} failed")
    CommsReportOperator(
        task_id="report",
        resource=["emails", "messages"],
        window_start="{{ data_interval_start }}",
        output="s3://aws_default@bucket/reports",
        formats=["parquet", "csv.gz"],
        fail_if={"reached": "< 95%"},
    )


def exceptions(error: CommsThresholdExceeded) -> CommsTaskFailed:
    return error


def xcoms(export: CommsExportStatsOperator, send: CommsSendEmailsOperator, report: CommsReportOperator) -> None:
    assert_type(export.execute({}), OperationXCom | OperationsXCom)
    assert_type(send.execute({}), SendXCom | DeliveryXCom)
    made = report.execute({})
    assert_type(made, ReportXCom)
    assert_type(made["files"]["html"]["uri"], str)
    assert_type(made.get("emails"), ReportSums | None)
    made["violatons"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]


def figures(xcom: OperationXCom) -> str:
    shares = rates(xcom["figures"])
    assert_type(shares, dict[str, float | None])
    assert_type(xcom["rates"], dict[str, float | None])
    return percent(shares["reached_of_recipients"])


def simulator() -> None:
    with Simulator(seed=1, frozen=True, latency=0.2) as simulator:
        assert_type(simulator, Simulator)
        assert_type(simulator.url, str)
        assert_type(simulator.now, datetime)
        assert_type(simulator.connection_json(), str)
        assert_type(simulator.add_operation("emails", processing_for=5, recipients=10, failed=0.1), str)
        assert_type(simulator.add_operation("messages", OperationPlan(ends_in="CANCELED")), str)
        assert_type(simulator.fault(429, retry_after=3), Fault)
        simulator.advance(60)

"""What a task makes of the event that ends its wait, whoever sent it."""

from __future__ import annotations

import logging

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException, AirflowSkipException

from airflow_provider_comms import exceptions
from airflow_provider_comms.tasks.result import end_from_event, result_of
from airflow_provider_comms.waiting.event import WaitEnd
from airflow_provider_comms.waiting.verdict import Failed, Finished, Skipped

LOG = logging.getLogger("task")
XCOM = {
    "id": "a",
    "resource": "emails",
    "status": "COMPLETED",
    "stats": {"total": 1200, "recipients": 1200, "delivered": 672, "opened": 480, "failed": 12, "undelivered": 36},
}


@pytest.mark.parametrize("event", ["success", None, {}, {"verdict": "postponed"}])
def test_an_event_that_cannot_be_read_fails_the_task_and_says_what_to_do(event):
    with pytest.raises(exceptions.CommsTaskFailed, match="Clear the task to wait again"):
        end_from_event(event)


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (Skipped("skipped"), AirflowSkipException),
        (Failed("canceled", "canceled"), exceptions.CommsOperationCanceled),
        (Failed("threshold", "too many"), exceptions.CommsThresholdExceeded),
        (Failed("refused", "401"), exceptions.CommsPermanentError),
        (Failed("timeout", "too late"), exceptions.CommsWaitTimeout),
        (Failed("no connection", "not defined"), AirflowNotFoundException),
        (Failed("of a newer version", "who knows"), exceptions.CommsTaskFailed),
    ],
)
def test_each_end_has_its_exception(verdict, error):
    with pytest.raises(error) as raised:
        result_of(WaitEnd(verdict=verdict), is_list=False, log=LOG)

    assert type(raised.value) is error
    assert verdict.message in str(raised.value)


def test_the_end_is_one_line_with_rates(caplog):
    caplog.set_level(logging.INFO)
    assert result_of(WaitEnd(verdict=Finished(), operations=[XCOM], waited=21.4), is_list=False, log=LOG) == XCOM

    assert [record.getMessage() for record in caplog.records] == [
        (
            "COMPLETED: 1,152 of 1,200 delivered (96.0 %), 480 opened (41.7 % of the delivered), 12 failed (1.0 %), "
            "36 undelivered (3.0 %), after 21 s (emails a)"
        )
    ]


def test_the_end_of_several_is_one_line_too(caplog):
    caplog.set_level(logging.INFO)
    several = [XCOM, {**XCOM, "id": "b", "status": "CANCELED"}, XCOM]
    result = result_of(WaitEnd(verdict=Finished("b was CANCELED"), operations=several), is_list=True, log=LOG)

    assert result == several
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.records[1].getMessage().startswith("1 COMPLETED, 1 CANCELED: 2,304 of 2,400 delivered (96.0 %), ")
    assert caplog.records[1].getMessage().endswith("(emails a and 1 more)")

"""
What a task raises, on Airflow's own bases, so that `soft_fail`, `retries` and callbacks do what they promise.

AirflowFailException            fails the task at once, without retries; skipped with soft_fail
└── CommsTaskFailed
    ├── CommsOperationCanceled      the operation was canceled, and on_canceled="fail"
    ├── CommsThresholdExceeded      a counter breaks a limit of fail_if
    ├── CommsPermanentError         an invalid argument or connection, or the API refuses (400, 401, 403, 404)
    ├── CommsSendUnknown            it is not known whether a send was accepted; it is not repeated
    ├── CommsSendUntracked          a send was accepted, but its operation is not known
    └── CommsSendChanged            something else was sent before under the same send_key
AirflowSensorTimeout            likewise
└── CommsWaitTimeout                the operation did not end within the sensor's timeout
AirflowException                the task's retries apply
├── CommsFileNotFoundError          a file of recipients, a text or an attachment is not there (a FileNotFoundError too)
└── CommsReportIncomplete           a report would be incomplete, and on_incomplete="fail"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
)

if TYPE_CHECKING:
    from airflow_provider_comms.waiting.verdict import Reason


class CommsTaskFailed(AirflowFailException):
    """The task has failed, and a retry would not change that."""


class CommsOperationCanceled(CommsTaskFailed):
    """The operation was canceled, and the task has `on_canceled="fail"`."""


class CommsThresholdExceeded(CommsTaskFailed):
    """An operation, or the totals of a report, break a limit of `fail_if`."""


class CommsPermanentError(CommsTaskFailed):
    """An argument or the connection is invalid, or the API refuses the request and would refuse it again."""


class CommsSendUnknown(CommsTaskFailed):
    """It is not known whether a send was accepted. It was not repeated; the message says how to find out."""


class CommsSendUntracked(CommsTaskFailed):
    """A send was accepted, but its operation is not known: there is nothing to wait for, and nothing to send again."""


class CommsSendChanged(CommsTaskFailed):
    """A send was accepted before under the same `send_key`, with other recipients or other content."""


class CommsFileNotFoundError(AirflowException, FileNotFoundError):
    """A file of recipients, a text or an attachment is not where the task looks for it."""


class CommsWaitTimeout(AirflowSensorTimeout):
    """The operation did not end within the sensor's timeout."""


class CommsReportIncomplete(AirflowException):
    """Operations have not ended or cannot be read, and the report has `on_incomplete="fail"`."""


TASK_EXCEPTIONS: dict[Reason, type[CommsTaskFailed | CommsWaitTimeout | AirflowNotFoundException]] = {
    "canceled": CommsOperationCanceled,
    "threshold": CommsThresholdExceeded,
    "refused": CommsPermanentError,
    "timeout": CommsWaitTimeout,
    # Retried, as everywhere in Airflow: a secrets backend that is down looks like this too.
    "no connection": AirflowNotFoundException,
}

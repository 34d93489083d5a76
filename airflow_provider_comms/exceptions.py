"""
What a task raises, on Airflow's own bases, so that `soft_fail`, `retries` and callbacks do what they promise.

AirflowFailException            fails the task at once; its retries are not used up; skipped with soft_fail
└── CommsTaskFailed
    ├── CommsOperationCanceled      the operation was cancelled, and on_canceled="fail"
    ├── CommsThresholdExceeded      a counter is above its fail_if
    ├── CommsPermanentError         an invalid argument or connection, or the API refuses (400, 401, 403, 404)
    ├── CommsSendUnknown            it is not known whether a send was accepted; it is not repeated
    ├── CommsSendUntracked          a send was accepted, and its operation is not known
    └── CommsSendChanged            a send was accepted before under the same key, and it held something else
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
    """The task fails, and another try would not change that."""


class CommsOperationCanceled(CommsTaskFailed):
    """The operation was cancelled, and the task's policy calls that a failure."""


class CommsThresholdExceeded(CommsTaskFailed):
    """An operation, or the totals of a report, break a limit that the task sets."""


class CommsPermanentError(CommsTaskFailed):
    """An argument or the connection cannot be right, or the API refuses the request and will refuse it again."""


class CommsSendUnknown(CommsTaskFailed):
    """It is not known whether a send was accepted, and it was not repeated; the message says how to find out."""


class CommsSendUntracked(CommsTaskFailed):
    """A send was accepted, and its operation is not known: there is nothing to wait for, and nothing to send again."""


class CommsSendChanged(CommsTaskFailed):
    """A send was accepted before under the same key, and it held other recipients or another content."""


class CommsFileNotFoundError(AirflowException, FileNotFoundError):
    """A file of recipients, a text or an attachment is not where the task looks for it."""


class CommsWaitTimeout(AirflowSensorTimeout):
    """The operation did not end within the sensor's timeout."""


class CommsReportIncomplete(AirflowException):
    """A report would leave out what has not ended or cannot be read, and the task asks to fail then."""


TASK_EXCEPTIONS: dict[Reason, type[CommsTaskFailed | CommsWaitTimeout | AirflowNotFoundException]] = {
    "canceled": CommsOperationCanceled,
    "threshold": CommsThresholdExceeded,
    "refused": CommsPermanentError,
    "timeout": CommsWaitTimeout,
    # Retried, as everywhere in Airflow: a secrets backend that is down looks like this too.
    "no connection": AirflowNotFoundException,
}

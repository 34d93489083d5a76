"""The end of a task: the end of a wait or an error becomes its result, or the exception that it ends with."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.exceptions import TASK_EXCEPTIONS, CommsPermanentError, CommsTaskFailed
from airflow_provider_comms.metrics import count_wait
from airflow_provider_comms.waiting.description import ended_line
from airflow_provider_comms.waiting.event import UnreadableEventError, WaitEnd, decode
from airflow_provider_comms.waiting.verdict import Failed, Finished, Skipped

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from airflow_provider_comms.xcoms import OperationXCom


@contextmanager
def fail_fast_on_permanent_errors() -> Iterator[None]:
    """
    Let Airflow's retries be spent on what may pass, and on nothing else.

    :raises CommsPermanentError: in the place of an error that will not pass: of an argument, the connection, the API.
    """
    try:
        yield
    except CommsError as error:
        if error.transient:
            raise
        raise CommsPermanentError(str(error)) from error


def end_from_event(event: object) -> WaitEnd:
    """
    Read the event that the triggerer sent.

    :raises CommsTaskFailed: this version cannot read it.
    """
    try:
        return decode(event)
    except UnreadableEventError as error:
        raise CommsTaskFailed(
            f"The trigger ended with an event that this version cannot read: {error}. Clear the task to wait again; "
            "let worker and triggerer run the same version of airflow-provider-comms."
        ) from None


def result_of(end: WaitEnd, *, is_list: bool, log: logging.Logger) -> OperationXCom | list[OperationXCom]:
    """
    Return the XCom of the operation that was waited for, or a list of them, where :func:`operations_of` does.

    :param is_list: whether the result is a list.
    """
    operations = operations_of(end, log)
    return operations if is_list else operations[0]


def operations_of(end: WaitEnd, log: logging.Logger) -> list[OperationXCom]:
    """
    Return the operations of a task whose wait has ended, log its end, and count it.

    :param log: the task's own.
    :raises CommsTaskFailed: or a child of it; or CommsWaitTimeout; as the reason of the failure says.
    :raises AirflowSkipException: the task's policy asks to be skipped.
    """
    count_wait(end)
    match end.verdict:
        case Skipped(message):
            raise AirflowSkipException(message)
        case Failed(reason, message):
            raise TASK_EXCEPTIONS.get(reason, CommsTaskFailed)(message)
        case Finished(warning):
            if warning:
                log.warning("%s", warning)
            log.info("%s", ended_line(end.operations, end.waited))
    return end.operations

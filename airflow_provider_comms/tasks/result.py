"""The end of a task: an event or an error becomes its result, or the exception that it ends with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.exceptions import TASK_EXCEPTIONS, CommsPermanentError, CommsTaskFailed

if TYPE_CHECKING:
    import logging


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


def conclude(event: Mapping[str, Any], log: logging.Logger) -> list[dict[str, Any]]:
    """
    Read the event of a wait that has ended, made by `Wait.event`.

    :param event: from the triggerer, or from this process's own wait.
    :param log: the task's own.
    :return: the XCom of each operation.
    :raises CommsTaskFailed: or a child of it; or CommsWaitTimeout; as the event's reason says.
    :raises AirflowSkipException: the task's policy asks to be skipped.
    """
    if not isinstance(event, Mapping):  # Airflow's own events arrive as plain text under `airflow dags test`.
        event = {"verdict": event}
    message = event.get("message")
    match event.get("verdict"):
        case "finished":
            if message:
                log.warning("%s", message)
            return list(event["operations"])
        case "skipped":
            raise AirflowSkipException(message)
        case "failed":
            raise TASK_EXCEPTIONS.get(event["reason"], CommsTaskFailed)(message)
        case other:
            raise CommsTaskFailed(
                f"The trigger ended with {other!r}, which this version cannot read. Clear the task to wait again; "
                "let worker and triggerer run the same version of airflow-provider-comms."
            )

"""Where a task writes down that it is about to send, so that its next try knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_comms.sending.once import Journal, Record

_PREFIX = "comms_send_"


def journal_of(context: Context) -> Journal | None:
    """Return the journal of a task instance: Airflow's task state store, from 3.3 on; None before."""
    store = context.get("task_state_store")
    return None if store is None else TaskStateJournal(store)


class TaskStateJournal:
    """
    Keeps it in Airflow's task state store: by run, task, map index and request, over retries.

    :param store: `context["task_state_store"]`.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    def read(self, digest: str) -> Record | None:
        """Return what was written of a request."""
        record: Record | None = self._store.get(_PREFIX + digest)
        return record

    def write(self, digest: str, record: Record) -> None:
        """Write it; it is stored when this returns."""
        self._store.set(_PREFIX + digest, record)

    def forget(self, digest: str) -> None:
        """Delete it."""
        self._store.delete(_PREFIX + digest)

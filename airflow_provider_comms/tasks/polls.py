"""Polls from a worker, over the connection of a task, which is read again when its credentials are refused."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.polling.errors import Reread, after_reread, is_rejection
from airflow_provider_comms.polling.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.hooks.comms import CommsHook


class PollingTask:
    """Stands before Airflow's base class among the bases of a task that polls operations on its worker."""

    comms_conn_id: str
    log: Any  # Airflow's base class brings it.

    @cached_property
    def hook(self) -> CommsHook:
        """The hook behind the connection."""
        from airflow_provider_comms.hooks.comms import CommsHook

        return CommsHook(self.comms_conn_id)

    def ask(
        self, resource: Resource, ids: Sequence[str], *, last_chance: bool = False
    ) -> dict[str, Operation | CommsError]:
        """Ask for operations, blocking; see `waiting.wait.Ask`."""
        found = self._client(last_chance=last_chance).try_operations(resource, ids)
        if not any(map(is_rejection, found.values())):
            return found
        reread = self._reread_connection()
        if reread is Reread.CHANGED:
            return self._client(last_chance=last_chance).try_operations(resource, ids)
        return {one: after_reread(what, reread) or what if is_rejection(what) else what for one, what in found.items()}

    def _client(self, *, last_chance: bool) -> CommsClient:
        # As in the triggerer: a poll is not patient, so that a wait hears of trouble, and its log tells of it, at once.
        timeouts, retry = self.hook.settings.timeouts, self.hook.settings.retry
        return self.hook.get_conn().with_options(
            timeouts=DEFAULT_LIMITS.timeouts(timeouts), retry=DEFAULT_LIMITS.retry(retry), last_chance=last_chance
        )

    def _reread_connection(self) -> Reread:
        """Read the connection again: a token may have been rotated since the wait began."""
        new = type(self.hook)(self.comms_conn_id)
        try:
            is_changed = new.settings != self.hook.settings
        except Exception as error:  # noqa: BLE001  (Whatever a secrets backend raises.)
            self.log.warning("Could not re-read the connection %s: %s", self.comms_conn_id, type(error).__name__)
            return Reread.FAILED
        if is_changed:
            self.hook = new
            self.log.info("The connection %s has changed since the wait began.", self.comms_conn_id)
        return Reread.CHANGED if is_changed else Reread.UNCHANGED

"""Operations as they are now, for a task that does not wait; each is read, or the task fails with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsError, CommsNotFoundError
from airflow_provider_comms.waiting.targets import other_resource, wrong_resource

if TYPE_CHECKING:
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.hooks.comms import CommsHook
    from airflow_provider_comms.waiting.targets import Targets

BATCH = 200
"""Operations that are asked for together; what is wrong with all of them is known after the first of these."""


def fetch_all(hook: CommsHook, targets: Targets) -> list[Operation]:
    """
    Fetch each operation once, in the order in which the ids were first given.

    :param hook: of the connection.
    :raises CommsError: one of them could not be read.
    """
    ids = list(dict.fromkeys(targets.ids))
    operations: list[Operation] = []
    with hook.get_conn() as client:
        for start in range(0, len(ids), BATCH):
            found = client.try_operations(targets.resource, ids[start : start + BATCH])
            operations += [_or_raise(one, found[one], client, targets) for one in found]
    return operations


def _or_raise(operation_id: str, found: Operation | CommsError, client: CommsClient, targets: Targets) -> Operation:
    if not isinstance(found, CommsError):
        return found
    if isinstance(found, CommsNotFoundError):
        _raise_if_elsewhere(operation_id, client, targets, found)
    raise found


def _raise_if_elsewhere(operation_id: str, client: CommsClient, targets: Targets, error: CommsNotFoundError) -> None:
    """Ask once whether the id is of the other resource."""
    resource = other_resource(targets.resource)
    found = client.try_operations(resource, [operation_id])[operation_id]
    if not isinstance(found, CommsError):
        raise CommsNotFoundError(wrong_resource(found), error.context, advice="")

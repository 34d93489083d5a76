"""Operations as they are now, for a task that does not wait: each is read, or the task fails with the reason."""

from __future__ import annotations

import logging
from contextlib import suppress
from itertools import islice
from time import monotonic, sleep
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsError, CommsNotFoundError
from airflow_provider_comms.comms.http.retry import delay_before_retry
from airflow_provider_comms.comms.resource import DEFAULT_PAGE_SIZE, OperationStatus
from airflow_provider_comms.polling.lists import is_page_worth_it
from airflow_provider_comms.waiting.targets import other_resource, wrong_resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.comms.settings import RetryPolicy
    from airflow_provider_comms.hooks.comms import CommsHook
    from airflow_provider_comms.waiting.targets import Targets

log = logging.getLogger(__name__)
BATCH = 200
"""Operations fetched together; an error that affects all of them shows in the first batch."""


def fetch_all(hook: CommsHook, targets: Targets) -> list[Operation]:
    """
    Read each operation, in the order in which the ids were first given: from a list where that is cheaper.

    Once some are read, a transient error of another does not lose them: it is fetched again after the others, until
    nothing could be read for as long as the connection's call timeout. If none could be read, the error is raised at
    once.

    :param hook: of the connection.
    :raises CommsError: one of them could not be read.
    """
    ids = list(dict.fromkeys(targets.ids))
    with hook.get_conn() as client:
        found = _listed(client, targets.resource, ids)
        _fetch_others(client, targets, ids, found)
    return [found[one] for one in ids]


def _listed(client: CommsClient, resource: Resource, ids: list[str]) -> dict[str, Operation]:
    """
    Return operations that a list shows as ended, as long as its pages show many of them.

    What it shows as pending may have ended since, and what it leaves out may exist: these are fetched by id.
    """
    wanted = set(ids)
    found: dict[str, Operation] = {}
    for status in (OperationStatus.COMPLETED, OperationStatus.CANCELED):
        if is_page_worth_it(len(wanted) - len(found)):
            # A list is a shortcut: if it fails, fetches by id may succeed, or say what is wrong.
            with suppress(CommsError):
                _read_pages(client.list_operations(resource, status=status), wanted, found)
    return found


def _read_pages(listed: Iterator[Operation], wanted: set[str], found: dict[str, Operation]) -> None:
    while page := list(islice(listed, DEFAULT_PAGE_SIZE)):
        hits = {one.id: one for one in page if one.id in wanted}
        found |= hits
        if not is_page_worth_it(len(wanted) - len(found), len(hits)):
            return


def _fetch_others(client: CommsClient, targets: Targets, ids: list[str], found: dict[str, Operation]) -> None:
    left = [one for one in ids if one not in found]
    last_read, failures = monotonic(), 0
    while left:
        fetched = client.try_operations(targets.resource, left[:BATCH])
        failed = {one: error for one, error in fetched.items() if isinstance(error, CommsError) and error.transient}
        read = {one: _or_raise(one, fetched[one], client, targets) for one in fetched if one not in failed}
        found |= read
        left = [*left[BATCH:], *failed]
        if read:
            last_read, failures = monotonic(), 0
        else:
            failures += 1
            # With nothing read, nothing is lost by giving up: the deadline has passed.
            deadline = last_read + client.settings.timeouts.call if found else 0.0
            _pause(list(failed.values()), failures, deadline, client.settings.retry)


def _pause(errors: list[CommsError], attempt: int, deadline: float, policy: RetryPolicy) -> None:
    """Wait until one of the requests may be sent again, or raise if that would be after the deadline."""
    delay = min(delay_before_retry(attempt, error.retry_after, policy) for error in errors)
    if monotonic() + delay > deadline:
        raise errors[0]
    log.warning("Retrying in %.0f s after: %s", delay, errors[0].message)
    sleep(delay)


def _or_raise(operation_id: str, found: Operation | CommsError, client: CommsClient, targets: Targets) -> Operation:
    if not isinstance(found, CommsError):
        return found
    if isinstance(found, CommsNotFoundError):
        raise_if_elsewhere(operation_id, client, targets.resource, found)
    raise found


def raise_if_elsewhere(operation_id: str, client: CommsClient, resource: Resource, error: CommsNotFoundError) -> None:
    """
    Look an id up once at the other resource.

    :param resource: where it is not known.
    :raises CommsNotFoundError: it is there.
    """
    found = client.try_operations(other_resource(resource), [operation_id])[operation_id]
    if not isinstance(found, CommsError):
        raise CommsNotFoundError(wrong_resource(found), error.context, advice="")

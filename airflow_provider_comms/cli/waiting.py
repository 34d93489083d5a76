"""The wait of the command line: the sensor's own wait, with a person watching."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from time import sleep, time
from typing import TYPE_CHECKING

from rich.console import Console

from airflow_provider_comms.cli.credentials import announced_settings
from airflow_provider_comms.cli.exits import Exit, fail
from airflow_provider_comms.cli.output import print_operations
from airflow_provider_comms.cli.progress import WaitProgress, log_above_bars
from airflow_provider_comms.cli.startup import log_to
from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.comms.resource import OperationStatus
from airflow_provider_comms.waiting.description import ended_line
from airflow_provider_comms.waiting.spec import WaitSpec
from airflow_provider_comms.waiting.targets import Targets
from airflow_provider_comms.waiting.verdict import Failed, Finished, Waiting
from airflow_provider_comms.waiting.wait import Wait

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.waiting.verdict import End, Reason
    from airflow_provider_comms.xcoms import OperationXCom

log = logging.getLogger(__name__)
_EXITS: dict[Reason, Exit] = {
    "canceled": Exit.CANCELED,
    "threshold": Exit.THRESHOLD,
    "timeout": Exit.TIMEOUT,
    "refused": Exit.REFUSED,
}


def wait_to_end(arguments: Namespace) -> Exit:
    """Wait for operations, show how they move, and print them at their end, whatever it is."""
    console = Console(stderr=True)
    log_to(log_above_bars(console), logging.INFO if arguments.verbose else logging.WARNING)
    targets = Targets.of(arguments.resource, arguments.operation_id)
    # A cancelled operation does not end the wait for the others; it counts at the end.
    spec = WaitSpec.parse(
        poke_interval=arguments.poke_interval,
        timeout=arguments.timeout,
        grace=arguments.grace,
        fail_if=dict(arguments.fail_if),
        fail_early=arguments.fail_early,
    ).check_for(targets.resource)
    settings = announced_settings(arguments)
    # No call may take longer than the whole wait.
    settings = replace(settings, timeouts=settings.timeouts.at_most(call=arguments.timeout))
    unique = list(dict.fromkeys(targets.ids))
    with CommsClient(settings) as client, WaitProgress(console, targets.resource, unique) as progress:
        # Only now: what was loaded before, Airflow above all, is not the wait's time.
        wait = Wait(targets=targets, spec=spec, started_at=time(), log=log)
        end = _end_of(wait, client, progress)
    if operations := wait.operations():
        print_operations(operations, arguments.output)
    status = exit_after(end, operations)
    message = end.warning if isinstance(end, Finished) else end.message
    return fail(status, message) if message else status


def _end_of(wait: Wait, client: CommsClient, progress: WaitProgress) -> End:
    while isinstance(verdict := wait.poll(partial(_ask, client)), Waiting):
        progress.show(wait.operations())
        sleep(wait.delay(wait.now()))
    progress.show(wait.operations())
    if isinstance(verdict, Finished):
        log.info("%s", ended_line(wait.operations()))
    return verdict


def _ask(
    client: CommsClient, resource: Resource, ids: Sequence[str], *, last_chance: bool = False
) -> Mapping[str, Operation | CommsError]:
    return client.with_options(last_chance=last_chance).try_operations(resource, ids)


def exit_after(end: End, operations: Sequence[OperationXCom]) -> Exit:
    """Return the status for the end of a wait and the operations' last states."""
    if isinstance(end, Failed):
        return _EXITS[end.reason]
    is_canceled = any(one["status"] == OperationStatus.CANCELED for one in operations)
    return Exit.CANCELED if is_canceled else Exit.OK

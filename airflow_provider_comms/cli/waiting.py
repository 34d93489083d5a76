"""The wait of the command line: the sensor's own wait, with a person watching."""

from __future__ import annotations

import logging
from functools import partial
from time import sleep, time
from typing import TYPE_CHECKING

from airflow_provider_comms.cli.exits import Exit
from airflow_provider_comms.comms.resource import OperationStatus
from airflow_provider_comms.waiting.description import ended_line
from airflow_provider_comms.waiting.spec import WaitSpec
from airflow_provider_comms.waiting.targets import Targets
from airflow_provider_comms.waiting.verdict import Failed, Finished, Waiting
from airflow_provider_comms.waiting.wait import Wait

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from airflow_provider_comms.cli.progress import WaitProgress
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.waiting.verdict import Reason, Verdict
    from airflow_provider_comms.xcoms import OperationXCom

_EXITS: dict[Reason, Exit] = {
    "canceled": Exit.CANCELED,
    "threshold": Exit.THRESHOLD,
    "timeout": Exit.TIMEOUT,
    "refused": Exit.REFUSED,
}


def read_arguments(arguments: Namespace) -> tuple[Targets, WaitSpec]:
    """
    Return what the command's arguments say is waited for, and how.

    :raises CommsArgumentError: one of them cannot be right.
    """
    targets = Targets.of(arguments.resource, arguments.operation_id)
    # A cancelled operation does not end the wait for the others; it counts at the end.
    spec = WaitSpec.parse(
        poke_interval=arguments.poke_interval,
        timeout=arguments.timeout,
        grace=arguments.grace,
        fail_if=dict(arguments.fail_if),
        fail_early=arguments.fail_early,
    )
    return targets, spec.check_for(targets.resource)


def begin_wait(targets: Targets, spec: WaitSpec, log: logging.Logger) -> Wait:
    """Start the clock: what was loaded before, Airflow above all, is not the wait's time."""
    return Wait(targets=targets, spec=spec, started_at=time(), log=log)


def wait_to_end(client: CommsClient, wait: Wait, progress: WaitProgress) -> Verdict:
    """Poll until the wait has ended, and show each result."""
    while True:
        verdict = wait.poll(partial(_ask, client))
        progress.show(wait.operations())
        if not isinstance(verdict, Waiting):
            if isinstance(verdict, Finished):
                wait.log.log(logging.INFO, "%s", ended_line(wait.operations()))
            return verdict
        sleep(wait.delay(wait.now()))


def _ask(
    client: CommsClient, resource: Resource, ids: Sequence[str], *, last_chance: bool = False
) -> Mapping[str, Operation | CommsError]:
    return client.with_options(last_chance=last_chance).try_operations(resource, ids)


def exit_after(verdict: Verdict, operations: Sequence[OperationXCom]) -> Exit:
    """Return the status for a verdict and the operations' last states."""
    if isinstance(verdict, Failed):
        return _EXITS[verdict.reason]
    is_canceled = any(one["status"] == OperationStatus.CANCELED for one in operations)
    return Exit.CANCELED if is_canceled else Exit.OK


def message_of(verdict: Verdict) -> str | None:
    """Return what there is to say of a verdict, beyond the operations' states."""
    return verdict.warning if isinstance(verdict, Finished) else getattr(verdict, "message", None)

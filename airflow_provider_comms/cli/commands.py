"""What each command does, from its parsed arguments to its exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow_provider_comms.cli.credentials import settings_for
from airflow_provider_comms.cli.exits import Exit, exit_of, fail
from airflow_provider_comms.cli.output import print_operations, print_rows
from airflow_provider_comms.cli.progress import Progress, logger_on, stderr_console
from airflow_provider_comms.cli.waiting import bounded, exit_after, message_of, new_wait, seen, wait_to_end
from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.waiting.outcome import operation_xcom

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable


def check(arguments: Namespace) -> Exit:
    """Try the connection."""
    from airflow_provider_comms.hooks.check import look
    from airflow_provider_comms.hooks.diagnosis import doubt_before_asking

    settings = settings_for(arguments.conn_id)
    if doubt := doubt_before_asking(settings):
        return fail(Exit.USAGE, doubt)
    found = look(settings)
    if arguments.output:
        print_rows(found.rows(), arguments.output)
    elif found.is_good:
        sys.stdout.write(f"{found.sentence()}\n")
    if found.is_good:
        return Exit.OK
    return fail(exit_of(found.worst), found.sentence())


def list_operations(arguments: Namespace) -> Exit:
    """List operations."""
    with CommsClient(settings_for(arguments.conn_id)) as client:
        found = client.list_operations(
            arguments.resource,
            start_date=arguments.start_date,
            end_date=arguments.end_date,
            status=arguments.status,
            limit=arguments.limit or None,
        )
        operations = list(map(operation_xcom, found))
    print_operations(operations, arguments.output)
    if arguments.limit and len(operations) == arguments.limit and sys.stderr.isatty():
        sys.stderr.write(f"These are the first {arguments.limit}; there may be more: --limit 0 lists all.\n")
    return Exit.OK


def get(arguments: Namespace) -> Exit:
    """Show one operation."""
    with CommsClient(settings_for(arguments.conn_id)) as client:
        operation = client.get_operation(arguments.resource, arguments.operation_id)
    print_operations([operation_xcom(operation)], arguments.output)
    return Exit.OK


def wait(arguments: Namespace) -> Exit:
    """Wait for operations, and show them at their end, whatever it is."""
    console = stderr_console()
    waiting = new_wait(arguments, logger_on(console, verbose=arguments.verbose))
    settings = bounded(settings_for(arguments.conn_id), arguments.timeout)
    with CommsClient(settings) as client, Progress(console, waiting.resource, waiting.pending) as progress:
        verdict = wait_to_end(client, waiting, progress)
    if operations := seen(waiting):
        print_operations(operations, arguments.output)
        sys.stdout.flush()
    status = exit_after(verdict, operations)
    message = message_of(verdict)
    return fail(status, message) if message else status


COMMANDS: dict[str, Callable[[Namespace], Exit]] = {
    "check": check,
    "list": list_operations,
    "get": get,
    "wait": wait,
}

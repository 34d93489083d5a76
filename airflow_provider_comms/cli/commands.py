"""What each command does, from its parsed arguments to its exit status."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_provider_comms.cli.credentials import announced_settings, settings_for
from airflow_provider_comms.cli.exits import Exit, exit_of, fail, say
from airflow_provider_comms.cli.output import print_operations, print_rows, print_sighting, write
from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.comms.errors import CommsArgumentError, CommsNotFoundError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.tasks.fetch import raise_if_elsewhere
from airflow_provider_comms.waiting.payload import operation_xcom

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable


def check(arguments: Namespace) -> Exit:
    """Test the connection."""
    from airflow_provider_comms.hooks.check import probe
    from airflow_provider_comms.hooks.diagnosis import preflight_error

    settings = settings_for(arguments.conn_id, connection_first=arguments.connection_first)
    if error := preflight_error(settings):
        return fail(Exit.USAGE, f"{settings.name}: {error}")
    result = probe(settings)
    if arguments.output:
        print_rows(result.rows(), arguments.output)
    elif result.is_good:
        write(f"{settings.name}: {result.sentence()}\n")
    return Exit.OK if result.is_good else fail(exit_of(result.error), f"{settings.name}: {result.sentence()}")


def list_operations(arguments: Namespace) -> Exit:
    """List operations."""
    if arguments.since and arguments.start_date:
        raise CommsArgumentError("--since and --start-date both set the start of the window.", advice="Use one.")
    start = _last(arguments.since) or arguments.start_date
    with _client(arguments) as client:
        found = client.list_operations(
            arguments.resource,
            start_date=start,
            end_date=arguments.end_date,
            status=arguments.status,
            limit=arguments.limit or None,
        )
        operations = list(map(operation_xcom, found))
    print_operations(operations, arguments.output)
    if arguments.limit and len(operations) == arguments.limit and sys.stderr.isatty():
        say(f"These are the first {arguments.limit}; there may be more: --limit 0 lists all.")
    return Exit.OK


def get(arguments: Namespace) -> Exit:
    """Show one operation."""
    with _client(arguments) as client:
        try:
            operation = client.get_operation(arguments.resource, arguments.operation_id)
        except CommsNotFoundError as error:
            raise_if_elsewhere(arguments.operation_id, client, Resource(arguments.resource), error)
            raise
    print_operations([operation_xcom(operation)], arguments.output)
    return Exit.OK


def find(arguments: Namespace) -> Exit:
    """Look for a send by its tag."""
    with _client(arguments) as client:
        sighting = client.find_sends(arguments.resource, arguments.tag, since=_last(arguments.since))
    print_sighting(arguments.resource, arguments.tag, sighting, arguments.output)
    if sighting.found is None and sighting.error:
        return fail(exit_of(sighting.error), f"Not known whether it was sent: the look-up failed. {sighting.error}")
    if sighting.error:
        say(f"It was sent; its operation could not be looked up. {sighting.error}")
    if sighting.found:
        return Exit.OK
    return fail(Exit.NOT_FOUND, "Nothing with this tag is listed. It may be on its way: lists lag by some minutes.")


def wait(arguments: Namespace) -> Exit:
    """Wait for operations, and show them at their end, whatever it is."""
    from airflow_provider_comms.cli.waiting import wait_to_end

    return wait_to_end(arguments)


def report(arguments: Namespace) -> Exit:
    """Sum up a window of time, write its files, and print it in words."""
    from airflow_provider_comms.cli.reporting import print_report

    return print_report(arguments)


def _last(duration: str | None) -> datetime | None:
    """Return when the last 7d, 36h, 90m ... began."""
    if not duration:
        return None
    from airflow_provider_comms.reports.window import window_since

    return window_since(duration, datetime.now(UTC)).start


def _client(arguments: Namespace) -> CommsClient:
    return CommsClient(announced_settings(arguments))


COMMANDS: dict[str, Callable[[Namespace], Exit]] = {
    "check": check,
    "list": list_operations,
    "get": get,
    "find": find,
    "wait": wait,
    "report": report,
}

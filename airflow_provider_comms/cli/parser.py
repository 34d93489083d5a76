"""
The commands and their arguments: one table, for Airflow's parser and for our own.

It imports little: Airflow reads it for each of its own commands.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_comms import __version__
from airflow_provider_comms.cli.values import count, seconds, threshold, timestamp
from airflow_provider_comms.comms.resource import OperationStatus, Resource
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.waiting.spec import DEFAULT_GRACE, DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = "comms"
HELP = "List, show, find, wait for and report on Twilio Comms operations"


class Argument(NamedTuple):
    """An argument: its name or its options, and the rest of what argparse's `add_argument` takes."""

    flags: tuple[str, ...]
    options: Mapping[str, Any]


class Command(NamedTuple):
    """A command; the function of its name in `cli.commands` runs it."""

    name: str
    help: str
    arguments: tuple[Argument, ...]
    epilog: str | None = None


def parser() -> ArgumentParser:
    """Return the parser of `python -m airflow_provider_comms`."""
    made = ArgumentParser(prog="python -m airflow_provider_comms", description=f"{HELP}.")
    made.add_argument("--version", action="version", version=__version__)
    subparsers = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.name, help=command.help, description=f"{command.help}.", epilog=command.epilog
        )
        for argument in command.arguments:
            subparser.add_argument(*argument.flags, **argument.options)
    return made


def _argument(*flags: str, **options: Any) -> Argument:
    return Argument(flags, options)


def _output(formats: tuple[str, ...], default: str | None, shown: str | None = None) -> Argument:
    listed = ", ".join(formats)
    return _argument(
        *("-o", "--output"),
        choices=formats,
        default=default,
        metavar=f"({listed})",
        help=f"output format: {listed} (default: {shown or default})",
    )


def _resource(names: Iterable[str], help_text: str) -> Argument:
    return _argument("resource", choices=[*map(str, names)], metavar="RESOURCE", help=help_text)


def _seconds(flag: str, default: float, help_text: str) -> Argument:
    return _argument(
        flag, type=seconds, default=default, metavar="SECONDS", help=f"{help_text} (default: {default:.0f})"
    )


def _time(flag: str, help_text: str) -> Argument:
    return _argument(flag, type=timestamp, metavar="TIME", help=f"{help_text}; UTC if it has no offset")


_RESOURCE = _resource(Resource, "emails or messages; the operation's id does not say which")
_ID_HELP = "as returned by Twilio when the send was accepted"
_CONN_ID = _argument(
    "--conn-id",
    help=f"Airflow connection to use (default: {DEFAULT_CONN_ID}, or the environment variables TWILIO_API_KEY and "
    "TWILIO_API_KEY_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN; 'airflow comms' tries the connection first, "
    "'python -m airflow_provider_comms' the variables)",
)
_FORMATS = ("table", "json", "yaml", "plain", "csv")
_TABLE = _output(_FORMATS, "table")

_SINCE = _argument("--since", metavar="DURATION", help="created in the last 7d, 36h, 90m ...; instead of --start-date")
_START_DATE = _time("--start-date", "created at or after")
_END_DATE = _time("--end-date", "created before")
_STATUS = _argument(
    "--status",
    type=str.upper,
    choices=[one.value for one in OperationStatus],
    help="only operations in this status, in upper or lower case",
)

_CHECK = Command(
    "check",
    "Test the connection: which credentials can read what, or what is wrong and how to fix it",
    (_CONN_ID, _output(_FORMATS, None, "a sentence")),
)
_LIST = Command(
    "list",
    "List operations",
    (
        _RESOURCE,
        _SINCE,
        _START_DATE,
        _END_DATE,
        _STATUS,
        _argument(
            "--limit", type=count, default=100, metavar="N", help="stop after N operations; 0 for all (default: 100)"
        ),
        _CONN_ID,
        _TABLE,
    ),
)
_GET = Command(
    "get",
    "Show one operation",
    (_RESOURCE, _argument("operation_id", metavar="OPERATION_ID", help=_ID_HELP), _CONN_ID, _TABLE),
)
_FAIL_IF = _argument(
    "--fail-if",
    type=threshold,
    action="append",
    default=[],
    metavar="COUNTER=THRESHOLD",
    help="fail if a counter or figure is above a number, or above a percentage of the recipients, or below one, such "
    "as failed=2%%, undelivered=50 or 'reached=<95%%'; may be given several times",
)
_REPORT = Command(
    "report",
    "Sum up all operations of a time window",
    (
        _resource((*Resource, "all"), "emails, messages or all"),
        _SINCE,
        _START_DATE,
        _END_DATE,
        _argument("--timezone", default="UTC", metavar="ZONE", help="zone of days and hours (default: UTC)"),
        _STATUS,
        _FAIL_IF,
        _argument("--html", metavar="FILE", help="write the report as a page"),
        _argument(
            "--rows",
            metavar="FILE",
            help="write a row for each operation, in the format of its name: .jsonl, .csv (.gz), .parquet",
        ),
        _CONN_ID,
        _output(("text", "markdown", "json"), "text"),
    ),
    "The window is the last day unless --since or --start-date says otherwise. Exit status: 4 beyond a threshold.",
)
_WAIT = Command(
    "wait",
    "Wait until operations have ended",
    (
        _RESOURCE,
        _argument("operation_id", nargs="+", metavar="OPERATION_ID", help=_ID_HELP),
        _FAIL_IF,
        _argument(
            "--fail-early",
            action="store_true",
            help="fail while an operation still runs, once a threshold is certain to be crossed",
        ),
        _seconds("--timeout", DEFAULT_TIMEOUT, "seconds after which to give up"),
        _seconds("--poke-interval", 5.0, "seconds between two polls"),
        _seconds("--grace", DEFAULT_GRACE, "seconds during which Twilio may not know a new operation yet"),
        _argument("-v", "--verbose", action="store_true", help="log each change to standard error"),
        _CONN_ID,
        _TABLE,
    ),
    "Exit status: 0 completed, 3 canceled, 4 beyond a threshold, 5 timed out, 6 rejected by Twilio, 7 no response, 2 "
    "nothing was sent, 130 interrupted.",
)
_FIND = Command(
    "find",
    "Find out whether something with a tag was sent, after a send of unknown outcome",
    (
        _RESOURCE,
        _argument("--tag", required=True, metavar="NAME:VALUE", help="a tag of the send, such as airflow.send:1f0c"),
        _argument("--since", metavar="DURATION", help="created in the last 7d, 36h, 90m ... (default: 7d)"),
        _CONN_ID,
        _TABLE,
    ),
    "Exit status: 0 found, so it was sent; 9 not found, which proves nothing for the last few minutes, because lists "
    "lag; 6 or 7 not known, because the look-up failed; 2 nothing was looked up.",
)
COMMANDS = (_CHECK, _LIST, _GET, _FIND, _WAIT, _REPORT)

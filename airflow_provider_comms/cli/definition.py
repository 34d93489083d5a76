"""
The commands and their arguments, in one table for Airflow's parser and for our own.

Pure data and light: Airflow reads it for each of its commands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.cli.values import count, limit, moment, seconds
from airflow_provider_comms.comms.resource import OperationStatus, Resource
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.waiting.pace import DEFAULT_GRACE, DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "comms"
HELP = "Look at and wait for Twilio Comms operations"


@dataclass(frozen=True, slots=True)
class Argument:
    """
    An argument in argparse's terms.

    :param flags: its name, or its options.
    :param options: what else `add_argument` takes.
    """

    flags: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """One command; the function of its name in `cli.commands` runs it."""

    name: str
    help: str
    arguments: tuple[Argument, ...]
    epilog: str | None = None


def _option(*flags: str, **options: Any) -> Argument:
    return Argument(flags, options)


def _output(default: str | None, shown: str) -> Argument:
    return _option(
        "-o",
        "--output",
        choices=("table", "json", "yaml", "plain"),
        default=default,
        metavar="(table, json, yaml, plain)",
        help=f"Output format. Allowed values: json, yaml, plain, table (default: {shown})",
    )


_RESOURCE = _option(
    "resource",
    choices=[one.value for one in Resource],
    metavar="RESOURCE",
    help="emails or messages; an id does not tell",
)
_ID_HELP = "as Twilio answered to the send"
_CONN_ID = _option(
    "--conn-id",
    help="Airflow connection to use; without it TWILIO_API_KEY and TWILIO_API_KEY_SECRET, or TWILIO_ACCOUNT_SID and "
    f"TWILIO_AUTH_TOKEN of the environment, and else the connection {DEFAULT_CONN_ID}",
)
_TABLE = _output("table", "table")

_CHECK = Command(
    "check",
    "Try the connection: who reads what, where; or what is wrong, and what to do",
    (_CONN_ID, _output(None, "a sentence")),
)
_LIST = Command(
    "list",
    "List operations",
    (
        _RESOURCE,
        _option("--start-date", type=moment, metavar="MOMENT", help="created after; UTC unless it names a zone"),
        _option("--end-date", type=moment, metavar="MOMENT", help="created before; UTC unless it names a zone"),
        _option("--status", choices=[one.value for one in OperationStatus], help="only operations in this status"),
        _option(
            "--limit",
            type=count,
            default=100,
            metavar="N",
            help="stop after N operations; 0 lists all (default: 100)",
        ),
        _CONN_ID,
        _TABLE,
    ),
)
_GET = Command(
    "get",
    "Show one operation",
    (_RESOURCE, _option("operation_id", metavar="OPERATION_ID", help=_ID_HELP), _CONN_ID, _TABLE),
)
_WAIT = Command(
    "wait",
    "Wait until operations have ended",
    (
        _RESOURCE,
        _option("operation_id", nargs="+", metavar="OPERATION_ID", help=_ID_HELP),
        _option(
            "--fail-if",
            type=limit,
            action="append",
            default=[],
            metavar="COUNTER=LIMIT",
            help="fail if a counter of a completed operation is above a number or a share of the recipients, such "
            "as failed=2%% or undelivered=50; may be given several times",
        ),
        _option(
            "--timeout",
            type=seconds,
            default=DEFAULT_TIMEOUT,
            metavar="SECONDS",
            help=f"give up after (default: {DEFAULT_TIMEOUT:.0f}, a day)",
        ),
        _option(
            "--poke-interval",
            type=seconds,
            default=5.0,
            metavar="SECONDS",
            help="seconds between two looks (default: 5)",
        ),
        _option(
            "--grace",
            type=seconds,
            default=DEFAULT_GRACE,
            metavar="SECONDS",
            help=f"how long an operation just made may be unknown to Twilio (default: {DEFAULT_GRACE:.0f})",
        ),
        _option("-v", "--verbose", action="store_true", help="a line on standard error for each change"),
        _CONN_ID,
        _TABLE,
    ),
    "Exit status: 0 completed, 3 canceled, 4 above a limit, 5 timed out, 6 refused by Twilio, 2 nothing was sent, "
    "130 interrupted.",
)
COMMANDS = (_CHECK, _LIST, _GET, _WAIT)

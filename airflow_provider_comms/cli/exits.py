"""How a command ends: one number that scripts can branch on, and one block of text on standard error."""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Self

from airflow_provider_comms.comms.errors import (
    CommsArgumentError,
    CommsError,
    CommsSettingsError,
    CommsUnreachableError,
)

if TYPE_CHECKING:
    from argparse import Namespace


class Exit(IntEnum):
    """The exit statuses; their meanings are what the docs print."""

    meaning: str

    def __new__(cls, status: int, meaning: str) -> Self:
        """Make a status that knows what it means."""
        member = int.__new__(cls, status)
        member._value_ = status
        member.meaning = meaning
        return member

    OK = 0, "done; `wait`: every operation is COMPLETED; `check`: at least one resource can be read"
    USAGE = 2, "the command line or the connection cannot be right; nothing was sent"
    CANCELED = 3, "`wait`: ended, and at least one operation is CANCELED"
    THRESHOLD = 4, "`wait`: a counter is above its `--fail-if`"
    TIMEOUT = 5, "`wait`: not ended within `--timeout`"
    REFUSED = 6, "the API refuses, and will refuse again: 400, 401, 403, 404, or an answer that is not the API's"
    UNREACHABLE = 7, "no answer, or one that may pass: DNS, TLS, proxy, timeout, 429, 5xx"
    INTERRUPTED = 130, "Ctrl-C"
    BROKEN_PIPE = 141, "whoever read the output has left"


def exit_of(error: CommsError) -> Exit:
    """Return the status for an error of the client."""
    if isinstance(error, (CommsArgumentError, CommsSettingsError)):
        return Exit.USAGE
    is_unreachable = error.transient or isinstance(error, CommsUnreachableError)
    return Exit.UNREACHABLE if is_unreachable else Exit.REFUSED


def run(command: str, arguments: Namespace) -> Exit:
    """
    Run a command; whatever it raises on purpose becomes a text on standard error and a status.

    :param command: its name in the table of `cli.definition`.
    """
    try:
        # Here, so that an interrupt finds a listener while the HTTP client is loaded.
        from airflow_provider_comms.cli.commands import COMMANDS

        status = COMMANDS[command](arguments)
        sys.stdout.flush()
    except CommsError as error:
        return fail(exit_of(error), str(error))
    except KeyboardInterrupt:
        return fail(Exit.INTERRUPTED, "Interrupted. Operations go on at Twilio all the same.")
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go, and the interpreter would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE
    return status


def fail(status: Exit, text: str) -> Exit:
    """Say what went wrong, and return the status."""
    sys.stderr.write(f"{text}\n")
    return status


def leave(status: Exit) -> None:
    """End the process at once. An ordinary end waits for threads, and one may hang in a name's lookup."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

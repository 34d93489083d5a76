"""How a command ends: one number that scripts can branch on, and one block of text on standard error."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import IntEnum
from typing import NoReturn, Self

from airflow_provider_comms.comms.errors import (
    CommsArgumentError,
    CommsError,
    CommsSettingsError,
    CommsUnreachableError,
)


class Exit(IntEnum):
    """The exit statuses; their meanings are what the docs print."""

    meaning: str

    def __new__(cls, status: int, meaning: str) -> Self:
        """Make a status that knows what it means."""
        member = int.__new__(cls, status)
        member._value_ = status
        member.meaning = meaning
        return member

    OK = (
        0,
        "done; `wait`: every operation is COMPLETED; `check`: at least one resource can be read; `find`: it was sent",
    )
    USAGE = 2, "the command line or the connection is invalid; nothing was sent"
    CANCELED = 3, "`wait`: ended, and at least one operation is CANCELED"
    THRESHOLD = 4, "`wait`, `report`: a counter or figure is beyond its `--fail-if`"
    TIMEOUT = 5, "`wait`: not ended within `--timeout`"
    REFUSED = 6, "the API rejects the request permanently: 400, 401, 403, 404, or the response is not the API's"
    UNREACHABLE = 7, "no response, or a temporary error: DNS, TLS, proxy, timeout, 429, 5xx"
    OUTPUT = 8, "the result could not be written: disk full, or standard output closed"
    NOT_FOUND = 9, "`find`: nothing with this tag is listed"
    INTERRUPTED = 130, "Ctrl-C"
    BROKEN_PIPE = 141, "the reader of the output closed it"
    TERMINATED = 143, "SIGTERM"


class OutputError(Exception):
    """The result could not be written to standard output."""


def exit_of(error: CommsError) -> Exit:
    """Return the status for an error of the client."""
    if isinstance(error, (CommsArgumentError, CommsSettingsError)):
        return Exit.USAGE
    is_unreachable = error.transient or isinstance(error, CommsUnreachableError)
    return Exit.UNREACHABLE if is_unreachable else Exit.REFUSED


def fail(status: Exit, text: str) -> Exit:
    """Say what went wrong, and return the status."""
    say(text)
    return status


def say(text: str) -> None:
    """Write a line to standard error. If that fails, there is nowhere else to write it."""
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def exit_now(status: Exit) -> NoReturn:
    """End the process at once. A normal exit waits for threads, and one may hang in a DNS lookup."""
    os._exit(status)

"""Running a command: each expected error becomes a text on standard error and an exit status."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, NoReturn

from airflow_provider_comms.cli.exits import Exit, OutputError, exit_of, fail
from airflow_provider_comms.cli.startup import log_to, prepare_standard_streams
from airflow_provider_comms.comms.errors import CommsError

if TYPE_CHECKING:
    from argparse import Namespace


def run(command: str, arguments: Namespace, *, connection_first: bool = False) -> Exit:
    """
    Run a command; each expected error becomes a text on standard error and a status.

    :param command: its name in the table of `cli.parser`.
    :param connection_first: where credentials come from without `--conn-id`; see `cli.credentials`.
    """
    prepare_standard_streams()
    log_to(logging.StreamHandler())
    # An exception, so that a progress bar gives the terminal its cursor back.
    signal.signal(signal.SIGTERM, _terminate)
    arguments.connection_first = connection_first
    try:
        # Here, so that an interrupt finds a listener while the HTTP client is loaded.
        from airflow_provider_comms.cli.commands import COMMANDS

        return COMMANDS[command](arguments)
    except CommsError as error:
        return fail(exit_of(error), str(error))
    except OutputError as error:
        return fail(Exit.OUTPUT, str(error))
    except BrokenPipeError:
        return Exit.BROKEN_PIPE
    except KeyboardInterrupt:
        return fail(Exit.INTERRUPTED, "Interrupted. This does not cancel the operations at Twilio.")
    except SystemExit:
        return fail(Exit.TERMINATED, "Terminated. This does not cancel the operations at Twilio.")


def _terminate(*_: object) -> NoReturn:
    raise SystemExit

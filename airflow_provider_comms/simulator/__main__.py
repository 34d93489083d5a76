"""The simulator on the command line: ``python -m airflow_provider_comms.simulator --help``."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from airflow_provider_comms.simulator.fields import FieldError
from airflow_provider_comms.simulator.identifiers import RESOURCES
from airflow_provider_comms.simulator.plans import ENDINGS, OperationPlan
from airflow_provider_comms.simulator.request_log import LoggedRequest
from airflow_provider_comms.simulator.simulator import Simulator

_VARIABLE = "AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"


def _at_least(kind: type[int | float], least: float) -> Callable[[str], float]:
    def read(given: str) -> float:
        value = kind(given)
        if not least <= value < math.inf:
            raise argparse.ArgumentTypeError(f"must be at least {least:g}, not {given}")
        return value

    read.__name__ = "whole number" if kind is int else "number"
    return read


_COUNT, _SECONDS = _at_least(int, 0), _at_least(float, 0)


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    description = "A Comms API v1 on loopback. Prints its URL on the first line once it listens."
    made = argparse.ArgumentParser(prog="python -m airflow_provider_comms.simulator", description=description)
    option = made.add_argument
    option("--host", default="127.0.0.1", help="loopback address (default: %(default)s)")
    option("--port", type=_COUNT, default=0, help="port; 0, the default, for any that is free")
    option("--emails", type=_COUNT, default=0, metavar="N", help="e-mail operations to begin with")
    option("--messages", type=_COUNT, default=0, metavar="N", help="message operations to begin with")
    option("--scheduled", type=_SECONDS, default=0.0, metavar="S", help="seconds in SCHEDULED (0)")
    option("--duration", type=_SECONDS, default=20.0, metavar="S", help="seconds in PROCESSING, of sends too (20)")
    option("--spread", type=_SECONDS, default=0.0, metavar="S", help="create them over the last S seconds (0)")
    option("--recipients", type=_COUNT, default=1000, metavar="N", help="recipients per operation (1000)")
    option("--ends-in", choices=ENDINGS, default="COMPLETED", help="how operations end (%(default)s)")
    option("--latency", type=_SECONDS, default=0.0, metavar="S", help="seconds added to each answer (0)")
    option("--rate-limit", type=_at_least(float, 1), metavar="N", help="requests per second before a 429")
    option("--seed", type=int, default=0, metavar="N", help="makes ids and tokens repeatable (0)")
    option("--stop-after", type=_SECONDS, default=3600.0, metavar="S", help="stop by itself (3600 s)")
    option("--with-parent", action="store_true", help="stop when the parent process ends")
    option("--log", action="store_true", help="one line per request on standard error")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run until a signal, the time, or the parent's end stops it.

    :returns: the exit status; bad arguments end in argparse's own error, with status 2.
    """
    parent, stopping = os.getppid(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    options = parser().parse_args(arguments)
    try:
        simulator = _started(options)
    except FieldError as error:
        parser().error(str(error))
    try:
        _announce(simulator, options)
        _wait(stopping, options.stop_after, parent if options.with_parent else None)
    finally:
        simulator.stop()
    return 0


def _started(options: argparse.Namespace) -> Simulator:
    shares = {"opened": 0.4, "failed": 0.02, "undelivered": 0.03}  # They give a demonstration something to show.
    course: dict[str, Any] = {"processing_for": options.duration, "ends_in": options.ends_in, **shares}
    simulator = Simulator(
        host=options.host,
        port=options.port,
        seed=options.seed,
        latency=options.latency,
        rate_limit=options.rate_limit,
        send_plan=course,
        on_request=_log if options.log else None,
    )
    plan = OperationPlan(scheduled_for=options.scheduled, recipients=options.recipients, **course)
    for resource in RESOURCES:
        simulator.seed(resource, getattr(options, resource), plan, spread=options.spread, until=simulator.now)
    simulator.start()
    return simulator


def _log(request: LoggedRequest) -> None:
    sys.stderr.write(request.line() + "\n")
    sys.stderr.flush()


def _announce(simulator: Simulator, options: argparse.Namespace) -> None:
    user = f"{simulator.account_sid}:{simulator.auth_token}"
    sys.stdout.write(
        f"""{simulator.url}

A simulated Comms API with {options.emails} e-mail and {options.messages} message operations.
Let Airflow use it:

  export {_VARIABLE}={shlex.quote(simulator.connection_json())}

Look at it:

  curl -u {user} {simulator.url}/v1/Emails/Operations
  curl {simulator.url}/control/health

It stops on Ctrl-C, or by itself after {options.stop_after:g} s.
"""
    )
    sys.stdout.flush()


def _wait(stopping: threading.Event, seconds: float, parent: int | None) -> None:
    """Wait for a signal, the time, or the end of the parent process."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not stopping.wait(min(left, 0.2)):
        if parent is not None and os.getppid() != parent:
            return


if __name__ == "__main__":
    sys.exit(main())

"""``python -m demo``: watch a real Airflow send, wait and report. ``KEEP=1`` leaves its web UI up."""

from __future__ import annotations

import os
import shutil
import sys
import time

from demo.output import Output, make_console
from demo.run import PROJECT, Stage, run_demo
from demo.signals import Interrupted, deadline, install_signal_handlers, single_instance
from local_airflow.errors import LocalAirflowError
from local_airflow.processes import Processes

FOLDER = PROJECT / ".demo"
DEADLINE_SECONDS = 300
"""It takes about a minute; several on a busy machine."""
KEEP_SECONDS = 3600


def main() -> int:
    """Run the demo and return its exit code."""
    output = Output(make_console())
    try:
        install_signal_handlers()
        with single_instance(FOLDER):
            run(output, keep=os.environ.get("KEEP", "") not in {"", "0"})
    except LocalAirflowError as error:
        output.print(f"\nFAILED: {error}")
        return 1
    except Interrupted as interruption:
        output.print("\nInterrupted; everything has been stopped.")
        return 128 + interruption.number
    return 0


def run(output: Output, *, keep: bool) -> None:
    """Run the demo; with ``keep``, leave Airflow up for a while."""
    logs = FOLDER / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    with Processes(logs) as processes:
        with deadline(DEADLINE_SECONDS):
            url = run_demo(Stage(output, FOLDER, processes, max_seconds=DEADLINE_SECONDS + KEEP_SECONDS))
        if keep:
            keep_running(output, processes, url)
        output.log("Stopping everything that was started.")
    output.log("Done.")


def keep_running(output: Output, processes: Processes, url: str) -> None:
    """Keep everything up until Ctrl-C, at most for an hour."""
    output.print(f"\nAirflow's web UI: {url} (no log-in needed)")
    output.print("Admin > Connections has the connection, with its Test button; Dags has all examples.")
    output.print(f"Stop it with Ctrl-C, or with: kill {os.getpid()}. It stops by itself in an hour.\n")
    end = time.monotonic() + KEEP_SECONDS
    try:
        while time.monotonic() < end:
            processes.check()
            time.sleep(1)
    except Interrupted:
        output.print()


if __name__ == "__main__":
    sys.exit(main())

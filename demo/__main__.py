"""``python -m demo``: watch a real Airflow wait for two operations. ``KEEP=1`` leaves its web UI up."""

from __future__ import annotations

import os
import shutil
import sys
import time

from demo.narrator import Narrator, make_console
from demo.story import PROJECT, Story
from local_airflow.failures import DemoFailure
from local_airflow.processes import Processes
from local_airflow.signals import Interrupted, alone_in, deadline, obey_signals

FOLDER = PROJECT / ".demo"
DEADLINE_SECONDS = 110
KEEP_SECONDS = 3600


def main() -> int:
    """Run the demo and return its exit code."""
    narrator = Narrator(make_console())
    try:
        obey_signals()
        with alone_in(FOLDER):
            run(narrator, keep=os.environ.get("KEEP", "") not in {"", "0"})
    except DemoFailure as failure:
        narrator.print(f"\nFAILED: {failure}")
        return 1
    except Interrupted as interruption:
        narrator.print("\nInterrupted; everything has been stopped.")
        return 128 + interruption.number
    return 0


def run(narrator: Narrator, *, keep: bool) -> None:
    """Tell the story; with ``keep``, leave Airflow up for a while."""
    logs = FOLDER / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    with Processes(logs) as processes:
        with deadline(DEADLINE_SECONDS):
            url = Story(narrator, FOLDER, processes, lives_for=DEADLINE_SECONDS + KEEP_SECONDS).tell()
        if keep:
            stay(narrator, processes, url)
        narrator.say("Stopping everything that was started.")
    narrator.say("Done.")


def stay(narrator: Narrator, processes: Processes, url: str) -> None:
    """Keep everything up until Ctrl-C, at most for an hour."""
    narrator.print(f"\nAirflow's web UI: {url} (no log-in needed)")
    narrator.print(f"Stop it with Ctrl-C, or with: kill {os.getpid()}. It stops by itself in an hour.\n")
    end = time.monotonic() + KEEP_SECONDS
    try:
        while time.monotonic() < end:
            processes.check()
            time.sleep(1)
    except Interrupted:
        narrator.print()


if __name__ == "__main__":
    sys.exit(main())

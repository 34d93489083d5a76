"""
Stops what its owner started, even when the owner was killed.

A process of its own, because nothing in a process runs after SIGKILL, and because the kernel's own way
(``PR_SET_PDEATHSIG``) does not reach grandchildren such as Airflow's tasks.

The guard reads process ids from its standard input, one on each line. Each leads a session of its own. The
input ends when the owner closes it or dies; then the guard stops all those sessions and ends. Everything is
always stopped this way, not only in emergencies, so the tests exercise it each time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GRACE_SECONDS = 4.0
"""How long a component may take to stop in its own way before it is killed."""


def stop(sessions: set[int], grace: float = GRACE_SECONDS) -> None:
    """
    Ask the leader of each session to stop, give it time to stop its children, then kill whatever is left.

    :param sessions: process ids of the session leaders
    :param grace: seconds between the request and the kill; 0 kills at once
    """
    if grace:
        send(signal.SIGTERM, sessions)
        _wait_while(lambda: any(map(_is_alive, sessions)), grace)
    send(signal.SIGKILL, members(sessions))
    _wait_while(lambda: bool(members(sessions)), seconds=2.0)


def members(sessions: set[int]) -> list[int]:
    """
    Return the living processes of these sessions.

    A process group would miss some: Airflow gives each task a group of its own, but never a new session.
    """
    return [pid for pid in psutil.pids() if _session(pid) in sessions and _is_alive(pid)]


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Send one signal to many processes, some of which may be gone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait_while(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while condition() and time.monotonic() < end:
        time.sleep(0.1)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def main() -> None:
    """Read the sessions to guard until the input ends, then stop them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stop({int(line) for line in sys.stdin})


if __name__ == "__main__":
    main()

"""
A Redis server of our own, from the program that the system's package brings.

It listens on the loopback only and asks no client for a password: it holds nothing but the messages of tests. What it
was ever told is in its append-only file as long as it runs.
"""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from local_airflow.environment import free_port
from local_airflow.errors import LocalAirflowError
from local_airflow.users import unprivileged_user
from local_airflow.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_airflow.processes import Processes

PROGRAM, NAME = "redis-server", "Redis"
MISSING = "Redis is not installed. Run .ci/install-redis, or install your system's redis-server package."


def is_installed() -> bool:
    """Say whether Redis can be started here."""
    return shutil.which(PROGRAM) is not None


@contextmanager
def redis(processes: Processes) -> Iterator[str]:
    """
    Run a server; yield its URL.

    :param processes: what starts and stops it
    :raises LocalAirflowError: Redis is not installed, or does not start
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise LocalAirflowError(MISSING)
    port, user = free_port(), unprivileged_user("redis")
    with TemporaryDirectory(prefix="airflow-provider-comms-redis-") as data:
        if user:
            shutil.chown(data, user.pw_uid, user.pw_gid)
        options = {"bind": "127.0.0.1", "port": str(port), "dir": data, "save": "", "appendonly": "yes"}
        command = [program, *(part for name, value in options.items() for part in (f"--{name}", value))]
        processes.start(NAME, command, os.environ, cwd=data, user=user)
        try:
            wait_for(lambda: _answers(port, processes), what=NAME, seconds=20, every=0.1)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            processes.stop(NAME)


def _answers(port: int, processes: Processes) -> bool:
    processes.check()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as client:
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False

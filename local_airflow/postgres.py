"""
A PostgreSQL server of our own, from the programs that the system's package brings.

It listens on the loopback only and trusts every client there: it holds nothing but the rows of a test or a
benchmark. PostgreSQL refuses to run as root; there it runs as another user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from local_airflow.environment import free_port
from local_airflow.errors import LocalAirflowError
from local_airflow.users import identity, unprivileged_user
from local_airflow.waiting import wait_for

if TYPE_CHECKING:
    import pwd
    from collections.abc import Iterator

    from local_airflow.processes import Processes

MISSING = "PostgreSQL is not installed. Run .ci/install-postgresql, or install your system's postgresql package."
INSTALLED = "usr/lib/postgresql/*/bin/initdb", "usr/pgsql-*/bin/initdb", "opt/homebrew/opt/postgresql*/bin/initdb"
"""Where the programs are on systems that do not put them on the PATH."""
NAME, ROLE, DATABASE = "PostgreSQL", "airflow", "postgres"
SETTINGS = "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"
FAST = ("synchronous_commit=off",)
"""Keeps the disk, and whatever else writes to it, out of benchmarks."""


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None if it is not installed."""
    installed = [program for pattern in INSTALLED for program in sorted(Path("/").glob(pattern))]
    if installed:
        return installed[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def postgres(processes: Processes, settings: tuple[str, ...] = FAST) -> Iterator[str]:
    """
    Run a server with an empty database; yield its SQLAlchemy URL.

    :param processes: what starts and stops it
    :param settings: further ones of the server, each as ``name=value``
    :raises LocalAirflowError: PostgreSQL is not installed, or does not start
    """
    programs = find_programs()
    if programs is None:
        raise LocalAirflowError(MISSING)
    port, user = free_port(), unprivileged_user("postgres")
    with TemporaryDirectory(prefix="airflow-provider-comms-postgres-") as data:
        _initialize(programs, data, user)
        options = [part for setting in (*SETTINGS, *settings) for part in ("-c", setting)]
        command = [str(programs / "postgres"), "-D", data, "-p", str(port), *options]
        processes.start(NAME, command, os.environ, cwd=data, user=user)
        try:
            wait_for(lambda: _is_ready(programs, port, processes), what=NAME, seconds=30, every=0.2)
            yield f"postgresql+psycopg2://{ROLE}@127.0.0.1:{port}/{DATABASE}"
        finally:
            processes.stop(NAME)


def _initialize(programs: Path, data: str, user: pwd.struct_passwd | None) -> None:
    if user:
        shutil.chown(data, user.pw_uid, user.pw_gid)
    command = [str(programs / "initdb"), "--auth=trust", "--encoding=UTF8", "--no-locale", "-U", ROLE, "-D", data]
    done = subprocess.run(command, cwd=data, capture_output=True, text=True, check=False, **identity(user))
    if done.returncode:
        raise LocalAirflowError("PostgreSQL's initdb failed.", done.stderr[-4000:])


def _is_ready(programs: Path, port: int, processes: Processes) -> bool:
    processes.check()
    command = [str(programs / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}", f"--dbname={DATABASE}"]
    return subprocess.run(command, check=False).returncode == 0

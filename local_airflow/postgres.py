"""
A PostgreSQL server of our own, from the programs that the system's package brings.

It listens on the loopback only and trusts every client there: it holds nothing but the rows of a test or a
benchmark. PostgreSQL refuses to run as root; there it runs as another user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from local_airflow.environment import free_port
from local_airflow.errors import LocalAirflowError
from local_airflow.processes import identity
from local_airflow.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_airflow.processes import Processes

MISSING = "PostgreSQL is not installed. Run .ci/install-postgresql, or install your system's postgresql package."
INSTALLED = "usr/lib/postgresql/*/bin/initdb", "usr/pgsql-*/bin/initdb", "opt/homebrew/opt/postgresql*/bin/initdb"
"""Where the programs are on systems that do not put them on the PATH."""
USERS_INSTEAD_OF_ROOT = "postgres", "nobody"
NAME, ROLE, DATABASE = "PostgreSQL", "airflow", "postgres"
SETTINGS = "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=100", "synchronous_commit=off"
"""The last one keeps the disk, and whatever else writes to it, out of benchmarks."""


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None if it is not installed."""
    installed = [program for pattern in INSTALLED for program in sorted(Path("/").glob(pattern))]
    if installed:
        return installed[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def postgres(processes: Processes) -> Iterator[str]:
    """
    Run a server with an empty database; yield its SQLAlchemy URL.

    :param processes: what starts and stops it
    :raises LocalAirflowError: PostgreSQL is not installed, or does not start
    """
    programs = find_programs()
    if programs is None:
        raise LocalAirflowError(MISSING)
    port, user = free_port(), _user()
    with TemporaryDirectory(prefix="airflow-provider-comms-postgres-") as data:
        _initialize(programs, data, user)
        settings = [part for setting in SETTINGS for part in ("-c", setting)]
        command = [str(programs / "postgres"), "-D", data, "-p", str(port), *settings]
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


def _user() -> pwd.struct_passwd | None:
    """Return the user to run it as; None for the current one."""
    if os.geteuid():
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in USERS_INSTEAD_OF_ROOT if name in known)

"""
A PostgreSQL of its own, for as long as a benchmark runs.

It listens on the loopback only, and trusts whoever comes: it holds nothing but the benchmark's rows. PostgreSQL
refuses to run as root; there it runs as another user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measure import ROOT
from local_airflow.airflow import free_port
from local_airflow.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_airflow.processes import Processes

INSTALLED = "usr/lib/postgresql/*/bin/initdb", "usr/pgsql-*/bin/initdb", "opt/homebrew/opt/postgresql*/bin/initdb"
"""Where it lies on systems that do not put it on the PATH."""
INSTEAD_OF_ROOT = "postgres", "nobody"
NAME, ROLE, DATABASE = "PostgreSQL", "airflow", "postgres"
SETTINGS = "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=50", "synchronous_commit=off"
"""The last one keeps the disk, and whoever else writes to it, out of the figures."""


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None if it is not installed."""
    on_path = shutil.which("initdb")
    found = [Path(on_path)] if on_path else [one for place in INSTALLED for one in sorted(Path("/").glob(place))]
    return found[-1].resolve().parent if found else None


@contextmanager
def postgres(folder: Path, processes: Processes) -> Iterator[str]:
    """
    Run a server with an empty database; give the URL by which Airflow finds it.

    :param folder: of PostgreSQL's programs.
    :param processes: what starts and stops it.
    """
    port, user = free_port(), _user()
    with TemporaryDirectory(prefix="airflow-provider-comms-postgres-") as data:
        if user:
            shutil.chown(data, user.pw_uid, user.pw_gid)
        _as(user, [folder / "initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "-U", ROLE, "-D", data])
        processes.start(NAME, _server(folder, data, port, user), {**os.environ, "PYTHONPATH": str(ROOT)})
        ready = [folder / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}", f"--dbname={DATABASE}"]
        try:
            wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, what=NAME, seconds=30)
            yield f"postgresql+psycopg2://{ROLE}@127.0.0.1:{port}/{DATABASE}"
        finally:
            processes.stop(NAME)


def _user() -> pwd.struct_passwd | None:
    """Return whom it runs as; None for whoever runs this."""
    if os.geteuid():
        return None
    known = {one.pw_name: one for one in pwd.getpwall()}
    return next(known[name] for name in INSTEAD_OF_ROOT if name in known)


def _as(user: pwd.struct_passwd | None, command: list[str | Path]) -> None:
    how = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **how)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr[-4000:]}")


def _server(folder: Path, data: str, port: int, user: pwd.struct_passwd | None) -> list[str]:
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    server = [str(folder / "postgres"), "-D", data, "-p", str(port), *settings]
    return [sys.executable, "-m", __name__, str(user.pw_uid), str(user.pw_gid), *server] if user else server


def main() -> None:
    """Become another user, then the program: what starts our processes cannot."""
    uid, gid, program, *arguments = sys.argv[1:]
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main()

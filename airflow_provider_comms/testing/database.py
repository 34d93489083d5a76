"""A database of its own for an Airflow in this process, whatever Airflow it was before."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from shutil import copyfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MIGRATION_SECONDS = 300


def settings_for(home: Path) -> dict[str, str]:
    """
    The environment of an Airflow that has its database, DAGs and logs in a folder.

    :param home: the folder, which is made.
    """
    (home / "dags").mkdir(parents=True, exist_ok=True)
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        # Airflow 3.2 runs no task without one.
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
    }


def migrate(home: Path) -> Path:
    """
    Make a database, as ``airflow db migrate`` does; takes some 10 seconds.

    :returns: its file.
    :raises RuntimeError: when Airflow cannot; holds the end of its output.
    """
    environment = os.environ | settings_for(home) | {"AIRFLOW_HOME": str(home)}
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, check=False, capture_output=True, text=True, env=environment, timeout=_MIGRATION_SECONDS
    )
    if done.returncode != 0:
        raise RuntimeError(f"`airflow db migrate` failed:\n{done.stderr[-2000:]}")
    return home / "airflow.db"


@contextmanager
def fresh_database(migrated: Path, home: Path) -> Iterator[None]:
    """
    Let the Airflow of this process use a copy of a migrated database, and what it used before afterwards.

    :param migrated: what :func:`migrate` made.
    :param home: where the copy is put.
    """
    with ExitStack() as stack:
        stack.callback(_connect)
        stack.enter_context(_environment(settings_for(home)))
        copyfile(migrated, home / "airflow.db")
        _connect()
        stack.callback(_dispose)
        yield


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _connect() -> None:
    from airflow import settings

    settings.configure_vars()
    settings.reconfigure_orm()


def _dispose() -> None:
    from airflow import settings

    settings.dispose_orm()

"""The environment of a local Airflow: settings of its own, and nothing of the user's."""

from __future__ import annotations

import base64
import os
import secrets
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def environment(
    home: Path,
    dags_folder: Path,
    *,
    port: int,
    workers: int = 1,
    connections: Mapping[str, str] | None = None,
    database: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """
    Return the whole environment of Airflow's processes.

    The user's own ``AIRFLOW*`` variables are left out, and proxies for connections to this machine.

    :param home: its AIRFLOW_HOME
    :param dags_folder: the DAGs it serves
    :param port: where its API server listens, on the loopback
    :param workers: how many tasks may run at once
    :param connections: Airflow's connections as JSON, by id
    :param database: its database as a SQLAlchemy URL; None for SQLite in ``home``
    :param settings: further ones, or others, each by ``SECTION__NAME``
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    ours = _settings(dags_folder, port, workers)
    if database:
        ours["DATABASE__SQL_ALCHEMY_CONN"] = database
    variables = {f"AIRFLOW__{name}": value for name, value in {**ours, **(settings or {})}.items()}
    by_id = {f"AIRFLOW_CONN_{conn_id.upper()}": value for conn_id, value in (connections or {}).items()}
    local = {"AIRFLOW_HOME": str(home), "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return inherited | local | variables | by_id


def _settings(dags_folder: Path, port: int, workers: int) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}"
    return {
        "CORE__DAGS_FOLDER": str(dags_folder),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(workers),
        # As many slots in the default pool as there are workers: the pool then tells how busy they are.
        "CORE__DEFAULT_POOL_TASK_SLOT_COUNT": str(workers),
        # A task that fails by accident is tried again at once, not in five minutes.
        "CORE__DEFAULT_TASK_RETRY_DELAY": "2",
        # The Test button of the connections page; everything here is on the loopback.
        "CORE__TEST_CONNECTION": "Enabled",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_urlsafe(64),
        "API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # Parse each file once, and look for new ones seldom: they do not change while this Airflow runs.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
        # A task's supervisor may notice the end of its process this many seconds late. At the default of 5, the
        # report that a task was deferred can arrive after the task has come back from a poll 5 s later; the
        # scheduler then takes it for a failure.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def free_port() -> int:
    """Return a port on the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port

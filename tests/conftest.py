"""
An Airflow of the tests' own: its home is a fresh folder, its database SQLite, and no example DAG of Airflow's.

This must stand before anything imports Airflow, which reads its settings at import.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import signal
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from shutil import copyfile, rmtree

import pytest
from hypothesis import settings

from airflow_provider_comms.testing.database import migrate
from tests.fork_server import ForkServer

pytest_plugins = ["airflow_provider_comms.testing.pytest_plugin"]

# A shell that starts the tests in the background lets them, and all that they start, ignore an interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

HOME = Path(tempfile.mkdtemp(prefix="airflow-provider-comms-tests-"))
(HOME / "dags").mkdir()
# Where Airflow's metrics go. What nobody reads is dropped when the socket's buffer is full.
METRICS = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
METRICS.bind(("127.0.0.1", 0))
METRICS.setblocking(False)
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
    # Airflow 2.11 writes one into its home at its first start; a process that has started before knows none.
    "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    # Airflow 3.2 runs no task without one, not even by `airflow dags test`.
    "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
    "NO_PROXY": "127.0.0.1,localhost",
    "AIRFLOW__METRICS__STATSD_ON": "True",
    "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
    "AIRFLOW__METRICS__STATSD_PORT": str(METRICS.getsockname()[1]),
    "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
    "AIRFLOW__METRICS__METRICS_ALLOW_LIST": "comms.request,comms.poll,comms.wait.ended,comms.wait.duration",
    "AIRFLOW__OPENLINEAGE__DISABLED": "True",
    # A simulator does not mind being asked often.
    "COMMS_MIN_POKE_INTERVAL": "0.05",
}
for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
    del os.environ[name]

# A loaded machine is slow, not wrong; and the same examples everywhere make a failure repeatable.
# `make test-properties` draws more of them.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("full", settings.get_profile("quick"), max_examples=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_addoption(parser):
    """Add `--database`."""
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="database of the whole Airflow in the system tests; PostgreSQL must be installed, and is started for them",
    )


def pytest_configure(config):
    """Say at once what is missing."""
    if config.getoption("database") == "postgresql":
        from local_airflow.postgres import MISSING, find_programs

        if find_programs() is None:
            raise pytest.UsageError(MISSING)


def pytest_collection_modifyitems(config, items):
    """Skip what only a PostgreSQL can tell."""
    if config.getoption("database") == "sqlite":
        for item in items:
            if item.get_closest_marker("postgres"):
                item.add_marker(pytest.mark.skip(reason="needs a PostgreSQL: make test-postgres"))


@pytest.fixture(scope="session")
def _migrated_database(tmp_path_factory, worker_id):
    """An empty database of Airflow: one of all workers makes it. It stands in for that of the users' fixtures, too."""
    if worker_id == "master":
        return migrate(tmp_path_factory.mktemp("migrated"))
    folder = tmp_path_factory.getbasetemp().parent / "migrated"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return folder / "airflow.db" if folder.exists() else migrate(folder)


@pytest.fixture(scope="session")
def airflow_home(_migrated_database):
    """The home of an Airflow whose database is there."""
    copyfile(_migrated_database, HOME / "airflow.db")
    return HOME


@pytest.fixture(scope="session")
def mailbox():
    """Take the mails that DAGs send."""
    from tests.mailbox import Mailbox

    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
def metrics_so_far():
    """Read this provider's metrics that Airflow has sent since the last time, as StatsD's lines."""

    def read():
        packets = []
        with suppress(BlockingIOError):
            while True:
                packets.append(METRICS.recv(65536).decode())
        return [line for packet in packets for line in packet.splitlines()]

    return read


@pytest.fixture
def metrics(metrics_so_far):
    """Read those that were sent since the test began."""
    metrics_so_far()
    return metrics_so_far


@pytest.fixture(scope="session")
def airflow_forks(airflow_home):
    """Runs commands in processes that have Airflow imported already."""
    with ForkServer("airflow.cli.cli_parser", "airflow_provider_comms.cli.commands") as server:
        yield server


def pytest_sessionfinish():
    """Leave nothing behind."""
    rmtree(HOME, ignore_errors=True)

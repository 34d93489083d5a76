"""After all trials: nothing that was written anywhere holds a secret."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import make_url

from local_airflow.postgres import find_programs
from trials.secret_search import SecretSearch, basic

if TYPE_CHECKING:
    from trials.cluster import Api, Cluster


def secrets_of(api: Api) -> dict[str, str]:
    """Return what must not be seen of an API, by name."""
    one, where = api.simulator, api.conn_id
    return {
        f"auth token of {where}": one.auth_token,
        f"API key secret of {where}": one.api_key_secret,
        f"Basic header of {where}": basic(one.account_sid, one.auth_token),
        f"Basic header of the API key of {where}": basic(one.api_key_sid, one.api_key_secret),
    }


@pytest.fixture(scope="module")
def search(cluster: Cluster) -> SecretSearch:
    """Search for the secrets of all APIs that the trials have used, and for recipients."""
    if not cluster.apis:
        pytest.fail("No trial has run before this one: run them together.")
    secrets = {name: secret for api in cluster.apis for name, secret in secrets_of(api).items()}
    return SecretSearch(secrets | cluster.canaries)


def test_no_log_report_or_other_file_holds_a_secret(cluster: Cluster, search: SecretSearch) -> None:
    # All logs, task logs and those of every part, the reports' pages and rows; and each statement by which Airflow
    # changed its database, in PostgreSQL's log: XComs, triggers' rows, rendered templates, also those that are gone.
    files = [file for file in cluster.folder.parent.rglob("*") if file.is_file()]
    assert len(files) > len(cluster.airflow.components)

    assert search.in_files(files) == []


def test_no_table_of_the_database_holds_a_secret(cluster: Cluster, search: SecretSearch, tmp_path: Path) -> None:
    programs = find_programs()
    assert programs
    url = make_url(cluster.airflow.env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    dump = tmp_path / "dump.sql"
    dsn = f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}"
    subprocess.run([programs / "pg_dump", "--data-only", f"--file={dump}", dsn], check=True, timeout=120)
    assert "comms_operation_" in dump.read_text()

    assert search.in_files([dump]) == []


def test_no_message_in_redis_held_a_secret(cluster: Cluster, search: SecretSearch) -> None:
    # Redis appends to a file whatever it is told.
    server = psutil.Process(cluster.airflow.processes.running["Redis"].process.pid)
    files = [file for file in Path(server.cwd()).rglob("*") if file.is_file()]
    assert any(b"celery" in file.read_bytes() for file in files)

    assert search.in_files(files) == []


@pytest.mark.usefixtures("cluster")
def test_no_process_shows_a_secret(search: SecretSearch) -> None:
    assert search.in_processes() == []


def test_the_connections_are_encrypted(cluster: Cluster) -> None:
    passwords = cluster.ledger.rows("SELECT password FROM connection WHERE conn_type = 'twilio_comms'")
    assert passwords
    assert all(password.startswith("gAAAA") for (password,) in passwords)

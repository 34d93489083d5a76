"""
Fixtures for tests of your own DAGs: a simulated API, a connection to it, and an Airflow to run a DAG in.

.. code-block:: python

    pytest_plugins = ["airflow_provider_comms.testing.pytest_plugin"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_comms.simulator.pytest_plugin import comms_simulator
from airflow_provider_comms.testing.database import fresh_database, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow_provider_comms.simulator import Simulator
    from airflow_provider_comms.testing.dag_runs import DagRun

__all__ = ["comms_airflow", "comms_connection", "comms_simulator"]


@pytest.fixture(scope="session")
def _migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of Airflow, made once for all tests: it takes some 10 seconds."""
    return migrate(tmp_path_factory.mktemp("airflow"))


@pytest.fixture
def comms_connection(comms_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """The simulator behind the connection ``twilio_comms_default``; returns the connection's id."""
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", comms_simulator.connection_json())
    return "twilio_comms_default"


@pytest.fixture
def comms_airflow(
    _migrated_database: Path,
    comms_connection: str,  # noqa: ARG001 - the DAG uses it
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., DagRun]]:
    """
    Run a DAG to its end in a fresh Airflow, with the simulator behind ``twilio_comms_default``.

    Use it as ``run = comms_airflow(dag, conf={...})``; see :func:`.run_dag` and :class:`.DagRun`. Each test has a
    database of its own, whatever ``AIRFLOW_HOME`` is; your own database is not touched.
    """
    # A simulator does not mind being asked often.
    monkeypatch.setenv("COMMS_MIN_POKE_INTERVAL", "0.05")
    with fresh_database(_migrated_database, tmp_path / "airflow"):
        from airflow_provider_comms.testing.dag_runs import run_dag

        yield run_dag

"""Runs a task as Airflow's own task runner does: rendered, deferred, resumed, skipped, failed; no mock anywhere."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_comms.testing import dag_runs
from airflow_provider_comms.testing.airflow_versions import AIRFLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.testing.dag_runs import DagRun

_numbers = itertools.count()
__all__ = ["AIRFLOW", "run_to_end"]


@pytest.fixture
def airflow(airflow_home, comms_simulator, monkeypatch):
    """Run a DAG with the simulator behind the default connection."""
    connection = json.loads(comms_simulator.connection_json())
    # One request a call: what is waited out is then the wait's doing, not the client's.
    connection["extra"] = {"attempts": 1}
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", json.dumps(connection))
    return run_dag


def run_dag(build: Callable[[], Any], conf: dict[str, Any] | None = None) -> DagRun:
    """
    Build a DAG and run it to its end.

    :param build: makes the tasks; called inside the DAG.
    :param conf: the run's configuration.
    """
    from airflow.providers.common.compat.sdk import DAG

    with DAG(dag_id=f"test_{next(_numbers)}", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        build()
    return run_to_end(dag, conf)


def run_to_end(dag: Any, conf: dict[str, Any] | None = None) -> DagRun:
    """Run a DAG to its end, with the intervals that it asks for."""
    return dag_runs.run_dag(dag, conf, poke_interval=None)

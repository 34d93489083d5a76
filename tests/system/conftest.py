"""
A whole Airflow for the tests in this folder, started once: scheduler, DAG processor, triggerer, API server.

It serves `example_dags/`, and its default connection leads to a simulated Comms API of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.processes import Processes
from demo.real_airflow import RealAirflow
from demo.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LONGEST_SESSION_SECONDS = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with Processes(tmp_path_factory.mktemp("component-logs")) as processes:
        yield processes


@pytest.fixture(scope="session")
def simulator(processes: Processes) -> Simulator:
    return Simulator(processes, lives_for=LONGEST_SESSION_SECONDS)


@pytest.fixture(scope="session")
def airflow(
    processes: Processes,
    simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[RealAirflow]:
    """Start Airflow; `airflow.run_dag(dag_id, conf)` runs a DAG to its end and returns the run."""
    home = tmp_path_factory.mktemp("airflow")
    dags = pytestconfig.rootpath / "example_dags"
    airflow = RealAirflow(home, dags, processes, connections={"twilio_comms_default": simulator.connection})
    airflow.migrate()
    airflow.start()
    airflow.wait_until_healthy()
    yield airflow
    airflow.api.close()

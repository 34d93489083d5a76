"""
A whole Airflow for the tests in this folder, started once: scheduler, DAG processor, triggerer, API server.

It serves `example_dags/`, and its default connection leads to a simulated Comms API of its own.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_comms.simulator import Simulator as ThreadSimulator
from demo.processes import Processes
from demo.real_airflow import RealAirflow
from demo.simulator import Simulator
from tests.waits import WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LONGEST_SESSION_SECONDS = 1800


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with Processes(tmp_path_factory.mktemp("component-logs")) as processes:
        yield processes


@pytest.fixture(scope="session")
def simulator(processes: Processes) -> Simulator:
    return Simulator(processes, lives_for=LONGEST_SESSION_SECONDS)


@pytest.fixture(scope="session")
def ways_simulator() -> Iterator[ThreadSimulator]:
    """Another simulator, in this process, whose faults a test can set; the connection `ways` leads to it."""
    with ThreadSimulator() as simulator:
        yield simulator


@pytest.fixture(scope="session")
def dags_folder(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """The examples, and the tests' own DAGs with what they import."""
    folder = tmp_path_factory.mktemp("dags")
    examples = (pytestconfig.rootpath / "example_dags").glob("*.py")
    for file in (*examples, *(HERE / "dags").glob("*.py"), HERE.parent / "waits.py"):
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="session")
def airflow(
    processes: Processes,
    simulator: Simulator,
    ways_simulator: ThreadSimulator,
    dags_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RealAirflow]:
    """Start Airflow; `airflow.run_dag(dag_id, conf)` runs a DAG to its end and returns the run."""
    # One request a call: what is waited out is then the wait's doing, not the client's.
    ways = json.loads(ways_simulator.connection_json()) | {"extra": {"attempts": 1}}
    connections = {"twilio_comms_default": simulator.connection, "ways": json.dumps(ways)}
    connections |= {f"way_{number}": json.dumps(ways) for number in range(len(WAYS))}
    airflow = RealAirflow(tmp_path_factory.mktemp("airflow"), dags_folder, processes, connections=connections)
    airflow.migrate()
    airflow.start()
    airflow.wait_until_healthy()
    yield airflow
    airflow.api.close()

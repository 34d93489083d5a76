"""
A whole Airflow for the tests in this folder, started once: scheduler, DAG processor, triggerer, API server.

It serves `example_dags/`, and its default connection leads to a simulated Comms API of its own. Its database is
SQLite, or by `--database=postgresql` a PostgreSQL that is started for it.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import ExitStack
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_comms.simulator import Simulator as ThreadSimulator
from local_airflow.airflow import LocalAirflow
from local_airflow.postgres import postgres
from local_airflow.processes import Processes
from local_airflow.simulator import Simulator
from tests.system.together import STARTS, Endings, wait_for_runs
from tests.waits import WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mailbox import Mailbox

HERE = Path(__file__).parent
LONGEST_SESSION_SECONDS = 1800
SHORTENED = {
    "comms_delivery_deadline.py": ("timedelta(hours=2)", "timedelta(seconds=2)"),
    "comms_final_report.py": ("timedelta(hours=1)", "timedelta(seconds=1)"),
}
"""What an example waits for, as no test can."""


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with Processes(tmp_path_factory.mktemp("component-logs")) as processes:
        yield processes


@pytest.fixture(scope="session")
def simulator(processes: Processes) -> Simulator:
    return Simulator(processes, lives_for=LONGEST_SESSION_SECONDS)


@pytest.fixture(scope="session")
def endings() -> Iterator[Endings]:
    """What ends operations when a test's task is where it is wanted."""
    with Endings() as endings:
        yield endings


@pytest.fixture(scope="session")
def ways_simulators() -> Iterator[list[ThreadSimulator]]:
    """Simulators in this process, whose faults a test can set, one for each way; many ways share one."""
    with ThreadSimulator() as shared, ExitStack() as stack:
        yield [stack.enter_context(ThreadSimulator()) if way.gone_for else shared for way in WAYS]


@pytest.fixture(scope="session")
def sends_simulators() -> Iterator[dict[str, ThreadSimulator]]:
    """Simulators in this process, by connection: one for each way in which a send can end."""
    names = ("send_waited_for", "send_retried", "send_unknown", "send_refused", "send_cleared")
    with ExitStack() as stack:
        yield {name: stack.enter_context(ThreadSimulator()) for name in names}


def _connection(simulator: ThreadSimulator) -> str:
    # One request a call: what is waited out is then the wait's doing, not the client's.
    return json.dumps(json.loads(simulator.connection_json()) | {"extra": {"attempts": 1}})


@pytest.fixture(scope="session")
def dags_folder(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """The examples, and the tests' own DAGs with what they import."""
    folder = tmp_path_factory.mktemp("dags")
    examples = (pytestconfig.rootpath / "example_dags").glob("*.py")
    for file in (*examples, *(HERE / "dags").glob("*.py"), HERE.parent / "waits.py"):
        shutil.copy(file, folder)
    for name, (time, shorter) in SHORTENED.items():
        text = (folder / name).read_text()
        assert time in text
        (folder / name).write_text(text.replace(time, shorter))
    return folder


@pytest.fixture(scope="session")
def database(processes: Processes, pytestconfig: pytest.Config) -> Iterator[str | None]:
    """URL of Airflow's database; None for SQLite in its home."""
    if pytestconfig.getoption("database") == "sqlite":
        yield None
        return
    with postgres(processes) as url:
        yield url


@pytest.fixture(scope="session")
def airflow(
    *,
    processes: Processes,
    database: str | None,
    simulator: Simulator,
    ways_simulators: list[ThreadSimulator],
    sends_simulators: dict[str, ThreadSimulator],
    dags_folder: Path,
    mailbox: Mailbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalAirflow]:
    """Start Airflow; `airflow.run_dag(dag_id, conf)` runs a DAG to its end and returns the run."""
    connections = {"twilio_comms_default": simulator.connection, "ways": _connection(ways_simulators[0])}
    connections["smtp_default"] = mailbox.connection
    connections |= {f"way_{number}": _connection(one) for number, one in enumerate(ways_simulators)}
    connections |= {name: _connection(one) for name, one in sends_simulators.items()}
    airflow = LocalAirflow(
        tmp_path_factory.mktemp("airflow"), dags_folder, processes, connections=connections, database=database
    )
    airflow.env |= {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW__METRICS__")}
    airflow.migrate()
    airflow.start()
    airflow.wait_until_healthy()
    yield airflow
    airflow.api.close()


@pytest.fixture(scope="session")
def started_runs(airflow: LocalAirflow, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the functions of `together.STARTS` returned, each called with the fixtures that it names."""
    tests = [item for item in request.session.items if not item.get_closest_marker("skip")]
    used = {name for test in tests for name in getattr(test, "fixturenames", ())}
    with airflow.starting_together():
        return {
            name: start(**{each: request.getfixturevalue(each) for each in signature(start).parameters})
            for name, start in STARTS.items()
            if name in used
        }


@pytest.fixture
def no_other_runs(airflow: LocalAirflow, started_runs: dict[str, Any]) -> None:
    """All runs that were started together have ended: for a test that disturbs Airflow."""
    for started in started_runs.values():
        wait_for_runs(airflow, started)

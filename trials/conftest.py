"""
One distributed Airflow for all trials, started once; its table of figures is printed at the end.

TRIAL_WAITS says how many waits a run of the DAG `many_waits` has; fewer make a quicker, lesser trial.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local_airflow.distributed import distributed_airflow
from local_airflow.processes import Processes
from trials.cluster import Cluster
from trials.figures import table
from trials.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".distributed"
SIZES = {
    "TRIAL_WAITS": "40",
    "TRIAL_WAITS_ON_WORKERS": "2",
    "TRIAL_WAITS_RESUMING": "12",
    "TRIAL_REPORTS": "20",
    "TRIAL_SENDS": "20",
}
LAST = "test_secrets"

_clusters: list[Cluster] = []


def pytest_configure() -> None:
    """Say what the DAGs are to be like; they read it from the environment."""
    for name, number in SIZES.items():
        os.environ.setdefault(name, number)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Search for secrets when all has happened in which one may have got out."""
    items.sort(key=lambda item: LAST in item.nodeid)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start it; all its files stay in `.distributed` until the next time."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    dags = FOLDER / "dags"
    dags.mkdir(parents=True)
    for folder in (ROOT / "example_dags", Path(__file__).with_name("dags")):
        for file in folder.glob("*.py"):
            shutil.copy(file, dags)
    with Processes(FOLDER / "logs") as processes, distributed_airflow(FOLDER / "airflow", dags, processes) as airflow:
        ledger = Ledger(airflow.env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
        waits = int(os.environ["TRIAL_WAITS"]) + int(os.environ["TRIAL_WAITS_ON_WORKERS"])
        cluster = Cluster(airflow, ledger, FOLDER / "files", waits)
        _clusters.append(cluster)
        try:
            yield cluster
        finally:
            cluster.close()
            ledger.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    for cluster in _clusters:
        terminalreporter.write_line(f"\n{table(cluster.figures)}\n")
        if cluster.revived:
            terminalreporter.write_line(f"Ended by themselves, and were started again: {', '.join(cluster.revived)}\n")

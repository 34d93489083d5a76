"""Runs a task as Airflow's own task runner does: rendered, deferred, resumed, skipped, failed; no mock anywhere."""

from __future__ import annotations

import itertools
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow import __version__ as airflow_version
from airflow.listeners import hookimpl
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_numbers = itertools.count()
AIRFLOW = Version(airflow_version)


class FailureListener:
    """Hears of each failed task."""

    def __init__(self, errors: list[BaseException]) -> None:
        self.errors = errors

    @hookimpl
    def on_task_instance_failed(self, error):
        self.errors.append(error)


@dataclass
class Run:
    """What became of a DAG run: states and XComs by task id (lists where the task is mapped)."""

    state: str
    states: dict[str, Any]
    names: dict[str, list[str | None]]
    errors: list[BaseException] = field(default_factory=list)
    _xcoms: Callable[[str, str], Any] = None

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        return self._xcoms(task_id, key)

    @property
    def error(self) -> BaseException:
        """The one exception that a task ended with."""
        assert len(self.errors) == 1, self.errors
        return self.errors[0]


@pytest.fixture
def airflow(airflow_home, comms_simulator, monkeypatch):
    """Run a DAG with the simulator behind the default connection."""
    connection = json.loads(comms_simulator.connection_json())
    # One request a call: what is waited out is then the wait's doing, not the client's.
    connection["extra"] = {"attempts": 1}
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", json.dumps(connection))
    return run_dag


def run_dag(build: Callable[[], Any], conf: dict[str, Any] | None = None) -> Run:
    """
    Build a DAG and run it to its end.

    :param build: makes the tasks; called inside the DAG.
    :param conf: the run's configuration.
    """
    from airflow.providers.common.compat.sdk import DAG

    with DAG(dag_id=f"test_{next(_numbers)}", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        build()
    return run_to_end(dag, conf)


def run_to_end(dag: Any, conf: dict[str, Any] | None = None) -> Run:
    """Run a DAG to its end, as `airflow dags test` does."""
    register(dag)
    errors: list[BaseException] = []
    with listening(errors):
        dag_run = dag.test(run_conf=conf)
    states: dict[str, Any] = {}
    names: dict[str, list[str | None]] = {}
    for ti in sorted(dag_run.get_task_instances(), key=lambda ti: ti.map_index):
        known = states.get(ti.task_id)
        state = str(ti.state)
        names.setdefault(ti.task_id, []).append(ti.rendered_map_index)
        states[ti.task_id] = state if ti.map_index < 0 else [*(known or []), state]

    def xcom(task_id: str, key: str) -> Any:
        return read_xcom(dag.dag_id, dag_run.run_id, task_id, key)

    return Run(str(dag_run.state), states, names, errors, xcom)


@contextmanager
def listening(errors: list[BaseException]) -> Iterator[None]:
    """Collect what tasks fail with. A callback would not do: Airflow 3.0 gives it no exception after a deferral."""
    try:
        from airflow.sdk.listener import get_listener_manager
    except ImportError:
        from airflow.listeners.listener import get_listener_manager

    listener = FailureListener(errors)
    get_listener_manager().add_listener(listener)
    try:
        yield
    finally:
        get_listener_manager().clear()


def register(dag: Any) -> None:
    """Make a DAG known to the database, as the DAG processor does with a file."""
    if Version("3.1") > AIRFLOW:
        return  # It runs a DAG that it has not serialized.
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.utils.session import create_session

    if Version("3.2") <= AIRFLOW:
        from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    else:
        from airflow.models.dagbag import BundleDagBag, sync_bag_to_db

    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
    bundle = next(iter(DagBundlesManager().get_all_dag_bundles()))
    named = {"bundle_name": bundle.name} if Version("3.2") <= AIRFLOW else {}
    bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, **named)
    bag.bag_dag(dag)
    sync_bag_to_db(bag, bundle.name, bundle.version)


def read_xcom(dag_id: str, run_id: str, task_id: str, key: str) -> Any:
    """Read an XCom as the downstream task would."""
    try:
        from airflow.models.xcom import XComModel
    except ImportError:
        from airflow.models.xcom import XCom

        return XCom.get_one(dag_id=dag_id, run_id=run_id, task_id=task_id, key=key)
    from airflow.utils.session import create_session

    with create_session() as session:
        row = session.scalars(XComModel.get_many(dag_ids=dag_id, run_id=run_id, task_ids=task_id, key=key)).first()
        return None if row is None else XComModel.deserialize_value(row)

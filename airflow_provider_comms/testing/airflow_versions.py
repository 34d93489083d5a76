"""What a test needs of Airflow and finds in another place in each version, 2.11 to 3.3."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow import __version__ as airflow_version
from packaging.version import Version

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import DAG

AIRFLOW = Version(airflow_version)
_V3, _V3_1, _V3_2 = (Version(number) for number in ("3", "3.1", "3.2"))


def listener_manager() -> Any:
    """The manager of listeners."""
    of_sdk = AIRFLOW >= _V3 and find_spec("airflow.sdk.listener")
    return import_module("airflow.sdk.listener" if of_sdk else "airflow.listeners.listener").get_listener_manager()


def register(dag: DAG) -> None:
    """Make a DAG known to the database, as the DAG processor does with a file (``airflow dags reserialize``)."""
    if AIRFLOW < _V3_1:
        return  # It runs a DAG that it has not serialized.
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.utils.session import create_session

    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
    bundle = next(iter(DagBundlesManager().get_all_dag_bundles()))
    named = {"bundle_name": bundle.name} if AIRFLOW >= _V3_2 else {}
    dagbag = import_module("airflow.dag_processing.dagbag" if AIRFLOW >= _V3_2 else "airflow.models.dagbag")
    bag = dagbag.BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, **named)
    bag.bag_dag(dag)
    dagbag.sync_bag_to_db(bag, bundle.name, bundle.version)


def read_xcom(dag_id: str, run_id: str, task_id: str, key: str, map_index: int = -1) -> Any:
    """
    An XCom as a downstream task would read it.

    :param map_index: the instance of a mapped task.
    :returns: its value; None when there is none.
    """
    if AIRFLOW < _V3:
        from airflow.models.xcom import XCom

        return XCom.get_one(dag_id=dag_id, run_id=run_id, task_id=task_id, key=key, map_index=map_index)
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    wanted = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key, "map_index": map_index}
    with create_session() as session:
        row = session.scalars(select(XComModel).filter_by(**wanted)).first()
        return None if row is None else XComModel.deserialize_value(row)

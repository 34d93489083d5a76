"""The fixtures for users' own tests: the docs' example in a pytest of its own, and what it does not show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_comms.sensors.operation import CommsOperationSensor
from airflow_provider_comms.testing.database import fresh_database

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)


def test_the_example_in_the_docs_passes_as_it_stands(tmp_path):
    files = FILE.findall(PAGE.read_text())
    for name, code in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "COMMS"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=prepend"]
    done = subprocess.run(
        command, cwd=tmp_path, check=False, capture_output=True, text=True, env=environment | {"HOME": str(tmp_path)}
    )

    assert len(files) == 6
    assert done.returncode == 0, done.stdout[-5000:]
    assert "5 passed" in done.stdout


def test_a_mapped_task_has_lists_and_its_interval_afterwards(comms_airflow, comms_simulator):
    ids = [comms_simulator.add_operation("messages", processing_for=0.3) for _ in range(2)]
    with DAG("mapped", schedule=None) as dag:
        wait = CommsOperationSensor.partial(task_id="wait", resource="messages", poke_interval=60, mode="reschedule")
        wait.expand(operation_id=ids)

    run = comms_airflow(dag)

    assert run.states == {"wait": ["success", "success"]}
    assert [operation["id"] for operation in run.xcom("wait")] == ids
    assert run.map_labels["wait"] == ids
    assert all(operation_id in run.log("wait") for operation_id in ids)
    assert dag.get_task("wait").partial_kwargs["poke_interval"] == 60


def test_each_run_has_a_database_of_its_own(comms_airflow, comms_simulator):
    from airflow import settings
    from airflow.models.dagrun import DagRun

    with DAG("alone", schedule=None) as dag:
        CommsOperationSensor(task_id="wait", resource="emails", operation_id=comms_simulator.add_operation(age=600))
    run = comms_airflow(dag)

    assert [found.dag_id for found in settings.Session().query(DagRun)] == ["alone"]
    assert run.xcom("wait", "nothing") is None
    assert run.log("another") == ""
    with pytest.raises(AssertionError, match="0 tasks failed"):
        run.error  # noqa: B018


def test_the_database_from_before_is_in_use_again(airflow, airflow_home):
    from airflow import settings

    assert str(airflow_home) in str(settings.engine.url)


def test_the_database_from_before_is_in_use_again_after_an_error(airflow, airflow_home, tmp_path):
    from airflow import settings

    (tmp_path / "migrated.db").touch()
    with suppress(KeyError), fresh_database(tmp_path / "migrated.db", tmp_path / "airflow"):
        assert str(tmp_path) in str(settings.engine.url)
        raise KeyError
    assert str(airflow_home) in str(settings.engine.url)

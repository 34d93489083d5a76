"""What Airflow reads at its start."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest

import airflow_provider_comms
from airflow_provider_comms.get_provider_info import get_provider_info

LIGHT = """
import sys
import airflow_provider_comms.get_provider_info
heavy = {"airflow", "httpx", "pydantic", "tenacity", "starlette"} & set(sys.modules)
assert not heavy, heavy
"""


def test_it_is_pure_data_and_loads_nothing_heavy():
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


def test_airflow_finds_it_under_the_name_of_the_distribution():
    (point,) = [
        point
        for point in entry_points(group="apache_airflow_provider")
        if point.module.startswith("airflow_provider_comms")
    ]
    assert point.load()() == get_provider_info()
    assert get_provider_info()["package-name"] == distribution("airflow-provider-comms").name


def test_it_holds_airflows_schema():
    import airflow
    import jsonschema

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


@pytest.mark.parametrize("kind", ["hooks", "sensors", "operators", "triggers"])
def test_every_module_is_listed_and_exists(kind):
    listed = {name for entry in get_provider_info()[kind] for name in entry["python-modules"]}
    folder = Path(airflow_provider_comms.__file__).parent / kind
    public = {"hooks": {"comms"}, "sensors": {"operation"}, "operators": {"stats"}, "triggers": {"operation"}}[kind]

    assert listed == {f"airflow_provider_comms.{kind}.{name}" for name in public}
    assert all((folder / f"{name}.py").is_file() for name in public)


def test_the_connection_type_leads_to_the_hook():
    (conn_type,) = get_provider_info()["connection-types"]
    module, _, name = conn_type["hook-class-name"].rpartition(".")
    hook = getattr(import_module(module), name)
    assert (hook.conn_type, hook.hook_name) == (conn_type["connection-type"], conn_type["hook-name"])


@pytest.mark.parametrize(
    ("command", "shows"),
    [
        (["providers", "list"], "airflow-provider-comms"),
        (["providers", "hooks"], "twilio_comms"),
        (["connections", "add", "c", "--conn-type", "twilio_comms", "--conn-login", "AC1"], "added"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_airflows_own_commands_know_it_without_a_warning(airflow_home, command, shows):
    done = subprocess.run([sys.executable, "-m", "airflow", *command], check=True, capture_output=True, text=True)

    said = done.stdout + done.stderr
    assert shows in said
    assert not [line for line in said.splitlines() if "warn" in line.lower() and "comms" in line.lower()]

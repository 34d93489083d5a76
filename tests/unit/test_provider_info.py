"""What Airflow reads at its start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest

import airflow_provider_comms
from airflow_provider_comms.get_provider_info import get_provider_info
from airflow_provider_comms.hooks.fields import EXTRAS, STANDARD

LIGHT = """
import sys
import airflow_provider_comms.get_provider_info
heavy = {"airflow", "httpx", "pydantic", "starlette"} & set(sys.modules)
assert not heavy, heavy
"""

FORM = """
import json
try:
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
    every = HookMetaService.hook_meta_data()
except (ImportError, AttributeError):
    print("no such service")
else:
    ours = next(one for one in every if one.connection_type == "twilio_comms")
    print(json.dumps(ours.model_dump(mode="json")))
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


def test_the_connection_form_holds_airflows_schema():
    """The installed schema of the runtime says nothing of forms; that of a provider's source does, from 3.2 on."""
    import airflow
    import jsonschema

    whole = json.loads((Path(airflow.__file__).parent / "provider.yaml.schema.json").read_text())
    schema = whole["properties"]["connection-types"]
    if "conn-fields" not in schema["items"]["properties"]:
        pytest.skip("Airflow 3.2 is the first to describe forms")
    jsonschema.validate(get_provider_info()["connection-types"], schema)


def test_the_hooks_own_form_is_the_same_table():
    import airflow
    import jsonschema

    from airflow_provider_comms.hooks.comms import CommsHook

    schema = json.loads((Path(airflow.__file__).parent / "customized_form_field_behaviours.schema.json").read_text())
    behaviour = CommsHook.get_ui_field_behaviour()
    jsonschema.validate(behaviour, schema)
    (conn_type,) = get_provider_info()["connection-types"]
    assert behaviour == {name.replace("-", "_"): value for name, value in conn_type["ui-field-behaviour"].items()}


def test_the_forms_of_airflow_2_check_their_values():
    pytest.importorskip("flask_appbuilder", reason="Airflow 2.11 has real form fields")
    import wtforms
    from werkzeug.datastructures import MultiDict

    from airflow_provider_comms.hooks.comms import CommsHook

    form_class = type("Form", (wtforms.Form,), CommsHook.get_connection_form_widgets())
    assert set(form_class()._fields) == set(EXTRAS)
    assert all(form_class()[name].description == field.help for name, field in EXTRAS.items())
    assert all(form_class()[name].data == field.default for name, field in EXTRAS.items() if field.default is not None)
    sent = form_class(MultiDict({"attempts": "99", "read_timeout": "0", "proxy": "proxy.example"}))
    assert not sent.validate()
    assert set(sent.errors) == {"attempts", "read_timeout", "proxy"}
    assert form_class(MultiDict({"attempts": "3", "proxy": "http://proxy.example:3128"})).validate()


def test_airflow_shows_the_form():
    """Whether it takes it from the metadata (3.2) or from the hook (before): labels, helps and defaults are ours."""
    done = subprocess.run([sys.executable, "-W", "always", "-c", FORM], capture_output=True, text=True, check=True)
    if "no such service" in done.stdout:
        pytest.skip("before Airflow 3 there is no such service")

    shown = json.loads(done.stdout.splitlines()[-1])
    if shown["standard_fields"] is None:
        pytest.skip("Airflow 3.0 knows forms only with flask-appbuilder installed")

    assert shown["hook_name"] == "Twilio Comms"
    assert shown["standard_fields"]["login"]["title"] == STANDARD["login"].label
    assert shown["standard_fields"]["url_schema"]["hidden"] is True
    assert list(shown["extra_fields"]) == list(EXTRAS)
    for name, field in EXTRAS.items():
        form_field = shown["extra_fields"][name]
        titles = (form_field["schema"]["title"], form_field["description"], form_field["value"])
        assert titles == (field.label, field.help, field.default)
    assert "CommsHook" not in done.stderr


@pytest.mark.parametrize("kind", ["hooks", "sensors", "operators", "triggers"])
def test_every_module_is_listed_and_exists(kind):
    listed = {name for entry in get_provider_info()[kind] for name in entry["python-modules"]}
    folder = Path(airflow_provider_comms.__file__).parent / kind
    public = {
        "hooks": {"comms"},
        "sensors": {"operation"},
        "operators": {"report", "send", "stats"},
        "triggers": {"operation"},
    }[kind]

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
def test_airflows_own_commands_know_it_without_a_warning(airflow_forks, command, shows):
    done = airflow_forks.run("airflow", *command, env=os.environ)

    assert done.returncode == 0
    said = done.stdout + done.stderr
    assert shows in said
    assert not [line for line in said.splitlines() if "warn" in line.lower() and "comms" in line.lower()]

"""Whom a command talks to, and as whom."""

from __future__ import annotations

import json

import pytest

from airflow_provider_comms.cli.credentials import settings_for
from airflow_provider_comms.comms.errors import CommsSettingsError

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "token"}
KEY = {"TWILIO_API_KEY": "SK1", "TWILIO_API_KEY_SECRET": "secret"}


def variables(**environment):
    return settings_for(None, environment=environment)


@pytest.mark.parametrize(
    ("environment", "pair", "names"),
    [
        (ACCOUNT, ("AC1", "token"), "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
        (KEY, ("SK1", "secret"), "TWILIO_API_KEY and TWILIO_API_KEY_SECRET"),
        (
            {"TWILIO_API_KEY": "SK1", "TWILIO_API_SECRET": "secret"},
            ("SK1", "secret"),
            "TWILIO_API_KEY and TWILIO_API_SECRET",
        ),
        (ACCOUNT | KEY, ("SK1", "secret"), "TWILIO_API_KEY and TWILIO_API_KEY_SECRET"),
    ],
)
def test_twilios_usual_variables(environment, pair, names):
    made = variables(**environment)
    assert (made.username, made.password, made.base_url) == (*pair, "https://comms.twilio.com")
    assert made.name == f"environment variables {names}"


def test_another_base_url():
    made = variables(**ACCOUNT, COMMS_BASE_URL="http://127.0.0.1:8000/")
    assert made.base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(("missing", "name"), [("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID")])
def test_half_a_pair_is_refused(missing, name):
    with pytest.raises(CommsSettingsError, match=f"environment variable {name} is set, but {missing} is not"):
        variables(**{name: ACCOUNT[name]})


def define(monkeypatch, conn_id):
    fields = {"conn_type": "twilio_comms", "login": "SK9", "password": "p"}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))


@pytest.mark.parametrize("connection_first", [True, False])
def test_a_named_connection_goes_before_the_variables(monkeypatch, connection_first):
    define(monkeypatch, "mine")
    made = settings_for("mine", connection_first=connection_first, environment=ACCOUNT)
    assert (made.username, made.name) == ("SK9", "connection mine")


@pytest.mark.parametrize(
    ("connection_first", "name"),
    [
        (True, "connection twilio_comms_default"),
        (False, "environment variables TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
    ],
)
def test_where_both_are_there_the_caller_says_which_goes_first(monkeypatch, connection_first, name):
    define(monkeypatch, "twilio_comms_default")
    assert settings_for(None, connection_first=connection_first, environment=ACCOUNT).name == name


@pytest.mark.parametrize("connection_first", [True, False])
@pytest.mark.usefixtures("airflow_home")
def test_where_one_is_missing_it_is_the_other(monkeypatch, connection_first):
    made = settings_for(None, connection_first=connection_first, environment=ACCOUNT)
    assert made.name.startswith("environment variables")
    define(monkeypatch, "twilio_comms_default")
    made = settings_for(None, connection_first=connection_first, environment={})
    assert made.name == "connection twilio_comms_default"


def test_an_invalid_connection_is_not_passed_over_for_the_variables(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", json.dumps({"conn_type": "twilio_comms", "login": "SK9"}))
    with pytest.raises(CommsSettingsError, match="password of connection twilio_comms_default is empty"):
        settings_for(None, connection_first=True, environment=ACCOUNT)


@pytest.mark.usefixtures("airflow_home")
def test_without_both_the_error_says_how_to_add_a_connection():
    with pytest.raises(CommsSettingsError, match="`twilio_comms_default`") as refused:
        settings_for(None, environment={})
    assert "airflow connections add" in refused.value.message
    assert "TWILIO_ACCOUNT_SID" in refused.value.advice

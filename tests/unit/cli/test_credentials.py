"""Whom a command talks to, and as whom."""

from __future__ import annotations

import json

import pytest

from airflow_provider_comms.cli.credentials import settings_for
from airflow_provider_comms.comms.errors import CommsSettingsError

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "token"}
KEY = {"TWILIO_API_KEY": "SK1", "TWILIO_API_KEY_SECRET": "secret"}


@pytest.mark.parametrize(
    ("environment", "pair"),
    [
        (ACCOUNT, ("AC1", "token")),
        (KEY, ("SK1", "secret")),
        ({"TWILIO_API_KEY": "SK1", "TWILIO_API_SECRET": "secret"}, ("SK1", "secret")),
        (ACCOUNT | KEY, ("SK1", "secret")),
    ],
)
def test_twilios_usual_variables(environment, pair):
    made = settings_for(None, environment)
    assert (made.username, made.password, made.base_url) == (*pair, "https://comms.twilio.com")


def test_another_base_url():
    made = settings_for(None, ACCOUNT | {"COMMS_BASE_URL": "http://127.0.0.1:8000/"})
    assert made.base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(("missing", "name"), [("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID")])
def test_half_a_pair_is_refused(missing, name):
    with pytest.raises(CommsSettingsError, match=f"{name} is set in the environment, {missing} is not"):
        settings_for(None, {name: ACCOUNT[name]})


def test_a_named_connection_goes_before_the_variables(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MINE", json.dumps({"conn_type": "twilio_comms", "login": "SK9", "password": "p"}))
    made = settings_for("mine", ACCOUNT)
    assert (made.username, made.name) == ("SK9", "connection mine")


def test_without_variables_it_is_the_default_connection():
    with pytest.raises(CommsSettingsError, match="`twilio_comms_default`") as refused:
        settings_for(None, {})
    assert "airflow connections add" in refused.value.advice
    assert "TWILIO_ACCOUNT_SID" in refused.value.advice

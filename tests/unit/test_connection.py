"""What of an Airflow connection becomes which setting, however it was written down."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.hooks.connection import settings_of

FIELDS = {"conn_type": "twilio_comms", "login": "AC1", "password": "s3cret"}
GOOD = {"conn_id": "comms", **FIELDS}


def settings(**fields):
    extra = fields.pop("extra", None)
    return settings_of(Connection(**{**GOOD, **fields}, extra=extra if isinstance(extra, str) else json.dumps(extra)))


def connection_of_uri(uri):
    """Read a URI as Airflow reads an environment variable, whichever its version."""
    from airflow.models import Connection as Stored

    return Stored(conn_id="comms", uri=uri)


def test_login_and_password_are_enough():
    made = settings(extra={})
    assert (made.username, made.password, made.base_url) == ("AC1", "s3cret", "https://comms.twilio.com")
    assert made.verify is True


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": ""}, "https://comms.twilio.com"),
        ({"host": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ({"host": "http://127.0.0.1:8000/"}, "http://127.0.0.1:8000"),
        ({"host": "https://comms.twilio.com/v1/"}, "https://comms.twilio.com"),
        ({"host": "https://proxy.example/comms/v1"}, "https://proxy.example/comms"),
        ({"host": "http://127.0.0.1", "port": 8000}, "http://127.0.0.1:8000"),
        ({"host": "http://127.0.0.1:8000", "port": 9000}, "http://127.0.0.1:8000"),
        ({"host": "comms.example", "port": 0}, "https://comms.example"),
        ({"host": "comms.example", "schema": "http", "port": 81}, "http://comms.example:81"),
        ({"host": "http://[::1]:8000"}, "http://[::1]:8000"),
        ({"host": "http://[::1]", "port": 8000}, "http://[::1]:8000"),
    ],
)
def test_the_url_is_put_together_from_where_airflow_keeps_its_parts(fields, url):
    assert settings(**fields, extra={}).base_url == url


def test_a_connection_given_as_a_uri_says_the_same():
    made = settings_of(
        connection_of_uri(
            "twilio-comms://AC1:s3cret@http%3A%2F%2F127.0.0.1%3A8000/?attempts=2&verify=false&read_timeout=2.5",
        )
    )
    assert (made.username, made.password, made.base_url) == ("AC1", "s3cret", "http://127.0.0.1:8000")
    assert (made.patience.attempts, made.patience.read_timeout, made.verify) == (2, 2.5, False)


def test_every_extra_of_the_table_reaches_the_client():
    extra = {
        "connect_timeout": 1,
        "read_timeout": 2,
        "write_timeout": 3,
        "attempt_timeout": 4,
        "call_timeout": 5,
        "attempts": 6,
        "retry_after_cap": 7,
        "max_in_flight": 8,
        "verify": False,
        "ca_file": "/ca.pem",
        "proxy": "http://127.0.0.1:3128",
    }
    made = settings(extra=extra)
    assert {name: getattr(made.patience, name, None) or getattr(made, name, None) for name in extra} == extra


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"login": None}, "username"),
        ({"password": ""}, "password"),
        ({"host": "ftp://comms.example"}, "base URL"),
        ({"host": "https://AC1:s3cret@comms.example"}, "base URL"),
        ({"extra": {"atempts": 3}}, "'atempts'"),
        ({"extra": {"attempts": "many"}}, "'attempts'"),
        ({"extra": {"attempts": 2.5}}, "'attempts'"),
        ({"extra": {"attempts": True}}, "'attempts'"),
        ({"extra": {"attempts": 0}}, "attempts=0"),
        ({"extra": {"verify": "perhaps"}}, "'verify'"),
        ({"extra": {"read_timeout": -1}}, "read_timeout=-1"),
        ({"extra": {"ca_file": 1}}, "'ca_file'"),
    ],
)
def test_what_cannot_be_right_is_named_with_its_connection_and_without_its_secret(fields, says):
    with pytest.raises(CommsSettingsError) as refused:
        settings(**{"extra": {}, **fields})

    assert says in str(refused.value)
    assert "connection comms" in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("extra", ["no json", "[1]", '"text"'])
def test_an_extra_that_is_no_object_is_refused(extra):
    # Airflow's own class refuses most of these itself, from some version on.
    connection = SimpleNamespace(**GOOD, host=None, port=None, schema=None, extra=extra)
    with pytest.raises(CommsSettingsError, match="connection comms is no JSON object"):
        settings_of(connection)


def test_no_secret_shows_in_a_repr():
    made = settings(extra={"proxy": "http://user:hidden@127.0.0.1:3128"})
    assert "s3cret" not in repr(made)
    assert "hidden" not in repr(made)


def test_verification_switched_off_is_said_aloud(monkeypatch, capfd):
    monkeypatch.setenv("AIRFLOW_CONN_OPEN", json.dumps({**FIELDS, "extra": {"verify": False}}))
    assert CommsHook("open").settings.verify is False
    assert "TLS verification is OFF" in "".join(capfd.readouterr())


def test_the_program_names_itself_and_airflow():
    assert settings(extra={}).user_agent.startswith("airflow-provider-comms/")
    assert "Airflow/" in settings(extra={}).user_agent

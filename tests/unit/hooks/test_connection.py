"""What of an Airflow connection becomes which setting, however it was written down."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException, Connection
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.hooks.connection import settings_of
from airflow_provider_comms.hooks.fields import EXTRAS

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
        ({"host": "::1", "port": 8000}, "https://[::1]:8000"),
        ({"host": "::1", "port": 0}, "https://[::1]"),
        ({"host": "http://::1/comms", "port": 8000}, "http://[::1]:8000/comms"),
        ({"host": "2001:db8::80", "schema": "http"}, "http://[2001:db8::80]"),
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
    assert (made.retry.attempts, made.timeouts.read, made.verify) == (2, 2.5, False)


WHOLE = {
    "conn_type": "twilio_comms",
    "login": "SK1",
    "password": "s3/cr:t@",
    "host": "http://127.0.0.1:8000/",
    "extra": {"attempts": 2, "read_timeout": 2.5, "verify": False, "proxy": "http://127.0.0.1:3128", "ca_file": None},
}


def as_uri():
    """The URI that Airflow's own Connection makes of it, which the Test button hands to the hook."""
    from airflow.models import Connection as Stored

    return Stored(conn_id="any", **{**WHOLE, "extra": json.dumps(WHOLE["extra"])}).get_uri()


def in_environment(monkeypatch, tmp_path, written):
    monkeypatch.setenv("AIRFLOW_CONN_ANY_WAY", written())


def in_secrets_file(monkeypatch, tmp_path, written):
    """Airflow's secrets backend that reads a file; asked before the environment."""
    from airflow.secrets.local_filesystem import LocalFilesystemBackend

    file = tmp_path / "connections.json"
    file.write_text(json.dumps({"any_way": json.loads(written())}))
    found = LocalFilesystemBackend(connections_file_path=str(file)).get_connection("any_way")
    monkeypatch.setattr(CommsHook, "get_connection", staticmethod(lambda conn_id: found))


@pytest.mark.parametrize(
    ("put", "written"),
    [
        (in_environment, as_uri),
        (in_environment, lambda: json.dumps(WHOLE)),
        (in_secrets_file, lambda: json.dumps(WHOLE)),
    ],
    ids=["URI", "JSON", "secrets backend"],
)
def test_the_same_connection_however_it_is_written_down(monkeypatch, tmp_path, put, written):
    put(monkeypatch, tmp_path, written)

    made = CommsHook("any_way").settings

    assert (made.username, made.password, made.base_url) == ("SK1", "s3/cr:t@", "http://127.0.0.1:8000")
    assert (made.retry.attempts, made.timeouts.read) == (2, 2.5)
    assert (made.verify, made.proxy, made.ca_file) == (False, "http://127.0.0.1:3128", None)


def test_the_proxys_password_has_a_field_of_its_own():
    made = settings(extra={"proxy": "http://jo@proxy.example:3128", "proxy_password": "p@ss/word"})
    assert made.proxy == "http://jo:p%40ss%2Fword@proxy.example:3128"


@pytest.mark.parametrize("proxy", [None, "http://proxy.example:3128", "http://jo:already@proxy.example:3128"])
def test_a_proxys_password_without_its_user_is_refused(proxy):
    with pytest.raises(CommsSettingsError, match="'proxy_password' of connection comms") as refused:
        settings(extra={"proxy": proxy, "proxy_password": "hidden"})
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [("atempts", "(did you mean 'attempts'?)"), ("readtimeout", "(did you mean 'read_timeout'?)"), ("xyz", "'xyz'.")],
)
def test_a_mistyped_extra_is_named_with_what_was_meant(name, says):
    with pytest.raises(CommsSettingsError) as refused:
        settings(extra={name: 3})
    assert says in str(refused.value)
    assert "Known fields are proxy, proxy_password, ca_file, verify" in str(refused.value)


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
    reached = {f"{name}_timeout": value for name, value in asdict(made.timeouts).items()}
    reached |= asdict(made.retry) | {
        name: getattr(made, name) for name in ("max_in_flight", "verify", "ca_file", "proxy")
    }
    assert {name: reached[name] for name in extra} == extra
    assert {*extra, "proxy_password"} == set(EXTRAS)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"login": None}, "The login of connection comms is empty"),
        ({"password": ""}, "The password of connection comms is empty"),
        ({"host": "http://127.0.0.1", "port": 70_000}, "base URL"),
        ({"extra": {"proxy": "http://proxy.example:70000"}}, "proxy"),
        ({"extra": {"proxy": "http://user:s3cret@[::1:3128"}}, "proxy"),
        ({"extra": {"proxy": "http://user@proxy.example:port", "proxy_password": "s3cret"}}, "proxy"),
        ({"extra": {"proxy": "http://user@[::1:3128", "proxy_password": "s3cret"}}, "proxy"),
        ({"extra": {"ca_file": "/etc/ssl\0/ca.pem"}}, "'ca_file' of connection comms holds a control character"),
        ({"extra": {"read_timeout": float("nan")}}, "'read_timeout'"),
        ({"extra": {"attempts": 10**400}}, "'attempts'"),
        ({"host": "ftp://comms.example"}, "base URL"),
        ({"host": "https://AC1:s3cret@comms.example"}, "base URL"),
        ({"extra": {"atempts": 3}}, "'atempts'"),
        ({"extra": {"attempts": "many"}}, "'attempts'"),
        ({"extra": {"attempts": 2.5}}, "'attempts'"),
        ({"extra": {"attempts": True}}, "'attempts'"),
        ({"extra": {"attempts": 0}}, "'attempts'=0 of connection comms is below 1"),
        ({"extra": {"attempts": 21}}, "'attempts'=21 of connection comms is above 20"),
        ({"extra": {"read_timeout": 3601}}, "is above 3600"),
        ({"extra": {"proxy": "s3cret"}}, "does not look like http://user@proxy.example.com:3128"),
        ({"extra": {"proxy_password": 1}}, "'proxy_password' of connection comms is not of type string"),
        ({"extra": {"verify": "perhaps"}}, "'verify'"),
        ({"extra": {"read_timeout": -1}}, "'read_timeout'=-1"),
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
    with pytest.raises(CommsSettingsError, match="connection comms is not a JSON object"):
        settings_of(connection)


@pytest.mark.parametrize("field", ["login", "password"])
def test_a_credential_that_no_encoding_has_is_refused(field):
    # Airflow 2.11's own class cannot even hold one.
    fields = {**GOOD, field: "s3cret\udcff"}
    connection = SimpleNamespace(**fields, host=None, port=None, schema=None, extra=None)
    with pytest.raises(CommsSettingsError, match=f"The {field} of connection comms") as refused:
        settings_of(connection)
    assert "s3cret" not in str(refused.value)


def test_an_extra_without_bottom_is_refused():
    connection = SimpleNamespace(**GOOD, host=None, port=None, schema=None, extra="[" * 200_000)
    with pytest.raises(CommsSettingsError, match="is not a JSON object"):
        settings_of(connection)


ODD_TEXTS = (
    st.none() | st.text() | st.sampled_from(["://", "http://", "[", "http://[", "@", ":0", "\0", "\ud800", "::1"])
)
ODD_VALUES = st.recursive(
    ODD_TEXTS | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
ODD_PROXIES = st.builds("http://{}@{}:{}".format, st.text(), st.text(), st.integers())


@given(
    st.fixed_dictionaries(
        {
            "login": st.just("AC1") | ODD_TEXTS,
            "password": st.just("s3cret") | ODD_TEXTS,
            "host": ODD_TEXTS,
            "schema": ODD_TEXTS,
        },
        optional={"port": st.integers()},
    ),
    st.dictionaries(st.sampled_from([*EXTRAS, "other"]), ODD_VALUES | ODD_PROXIES),
)
def test_whatever_stands_in_a_connection_it_is_read_or_refused(fields, extra):
    connection = SimpleNamespace(**{"conn_id": "comms", "port": None, **fields}, extra=json.dumps(extra))
    try:
        made = settings_of(connection)
    except CommsSettingsError as refused:
        assert "connection comms" in str(refused)  # noqa: PT017
    else:
        assert made.secrets


@pytest.mark.parametrize("conn_id", ["nobody", "no-body.2"])
def test_a_connection_that_is_not_there_says_how_to_add_it(conn_id):
    hook = CommsHook(conn_id)
    for read in (lambda: hook.settings, lambda: asyncio.run(hook.aget_settings())):
        with pytest.raises(AirflowNotFoundException) as missing:
            read()
        assert f"`{conn_id}` isn't defined" in str(missing.value)
        assert f"airflow connections add {conn_id} --conn-type twilio_comms" in str(missing.value)
        assert ("AIRFLOW_CONN_NOBODY=" in str(missing.value)) is (conn_id == "nobody")


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

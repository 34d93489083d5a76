"""What a user of the connections page meets: the form, its checks, the Test button, and the way back."""

from __future__ import annotations

import pytest
from airflow import __version__ as airflow_version
from packaging.version import Version

from airflow_provider_comms.hooks.fields import EXTRAS, STANDARD

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright's Python package is missing")
expect = sync_api.expect
AIRFLOW = Version(airflow_version)
HAS_METADATA = Version("3.2") <= AIRFLOW
# Its Test button answers 400 for a connection without a port.
NEEDS_PORT = Version("3.3.1") <= AIRFLOW <= Version("3.3.2")


def whole(simulator, **fields):
    """The fields of a connection that works, in the words of the form."""
    port = {"port": "0"} if NEEDS_PORT else {}
    return {"login": simulator.account_sid, "password": simulator.auth_token, "host": simulator.url, **port, **fields}


def test_the_form_speaks_twilios_language(connections):
    connections.add("form")

    for name, field in STANDARD.items():
        expect(connections.dialog.get_by_text(field.label, exact=True)).to_be_visible()
        expect(connections.field(name)).to_have_attribute("placeholder", field.placeholder)
    expect(connections.field("schema")).to_have_count(0)
    expect(connections.field("password")).to_have_attribute("type", "password")
    connections.picture("connection-form", 920)


def test_each_extra_field_says_what_it_is_and_shows_its_default(connections):
    connections.add("extra").show_extra()

    for name, field in EXTRAS.items():
        expect(connections.dialog.get_by_text(field.label, exact=True)).to_be_visible()
        expect(connections.dialog.get_by_text(field.help, exact=True)).to_be_visible()
        if field.kind in ("number", "integer"):
            expect(connections.extra(name)).to_have_value(str(field.default))
    connections.picture("connection-extra-fields", 920)


@pytest.mark.skipif(Version("3.3") > AIRFLOW, reason="Airflow hides such fields from 3.3 on")
def test_the_proxys_password_is_not_shown(connections):
    connections.add("secret").show_extra()
    expect(connections.extra("proxy_password")).to_have_attribute("type", "password")


@pytest.mark.skipif(not HAS_METADATA, reason="the hook's methods cannot tell Airflow 3.1 a bound")
def test_a_number_out_of_bounds_is_not_taken(connections):
    connections.add("bounds").show_extra()
    for name, given, taken in (("attempts", "99", "20"), ("attempts", "0", "1"), ("read_timeout", "9999", "3600")):
        connections.extra(name).fill(given)
        connections.extra(name).blur()
        expect(connections.extra(name)).to_have_value(taken)


def test_a_connection_is_added_tested_and_reopened(connections, simulator, airflow):
    connections.add("good").fill(**whole(simulator)).save().open()

    message = connections.test("good")
    expect(message).to_contain_text("Test Connection Successful")
    host = simulator.url.removeprefix("http://")
    expect(message).to_contain_text(f"Account SID AC…5100 can read e-mail and message operations at {host}")
    connections.picture("connection-test-success", 440)
    assert simulator.request_counts()["by_route"] == {"emails.list": 1, "messages.list": 1}

    connections.edit("good")
    expect(connections.field("login")).to_have_value(simulator.account_sid)
    expect(connections.field("password")).to_have_value("***")
    assert simulator.auth_token not in connections.dialog.inner_text()


def test_a_proxys_password_is_masked_when_the_form_is_reopened(connections, simulator):
    connections.add("proxied").fill(**whole(simulator)).show_extra()
    connections.extra("proxy").fill("http://user@127.0.0.1:9")
    connections.extra("proxy_password").fill("hidden-word")
    connections.save()

    expect(connections.test("proxied")).to_contain_text("Nothing listens at the proxy 127.0.0.1:9")
    connections.edit("proxied").show_extra()
    expect(connections.extra("proxy_password")).to_have_value("***")


@pytest.mark.parametrize(
    ("name", "fields", "says"),
    [
        ("wrong-secret", {"password": "not-the-token"}, "this auth token are not accepted"),
        ("swapped", {"login": "simulated-auth-token", "password": "AC" + "5100" * 8}, "are swapped"),
        ("bad-sid", {"login": "AC123", "host": ""}, "It must be an account SID or an API key SID"),
        ("no-such-host", {"host": "https://comms.twilio.invalid"}, "cannot be resolved (DNS)"),
    ],
)
def test_a_failure_says_its_cause(connections, simulator, name, fields, says):
    connections.add(name).fill(**whole(simulator, **fields)).save().open()

    message = connections.test(name)

    expect(message).to_contain_text("Test Connection Failed")
    expect(message).to_contain_text(says)
    assert simulator.auth_token not in message.inner_text()
    if name == "wrong-secret":
        connections.picture(f"connection-test-{name}", 560)


def test_a_key_that_reads_one_resource_only_is_a_success_with_a_warning(connections, simulator):
    simulator.permit(simulator.api_key_sid, "messages", allowed=False)
    fields = whole(simulator, login=simulator.api_key_sid, password=simulator.api_key_secret)
    connections.add("half").fill(**fields).save()

    message = connections.test("half")

    expect(message).to_contain_text("Test Connection Successful")
    expect(message).to_contain_text("API key SK…5100 can read e-mail operations")
    expect(message).to_contain_text("Warning: No message operations")


def test_what_the_form_saves_is_what_the_hook_reads(connections, simulator, airflow):
    from airflow.models import Connection

    from airflow_provider_comms.hooks.connection import settings_of

    connections.add("saved").fill(**whole(simulator)).show_extra()
    connections.extra("attempts").fill("3")
    connections.extra("attempts").blur()
    connections.save()

    stored = airflow.api._get("connections/saved")
    read = settings_of(
        Connection(conn_id="saved", login=stored["login"], password="x", host=stored["host"], extra=stored["extra"])
    )
    assert (read.retry.attempts, read.base_url, read.verify) == (3, simulator.url, True)

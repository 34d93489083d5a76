"""The commands over an Airflow connection, and as a part of Airflow's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from airflow import __version__ as airflow_version
from packaging.version import Version

from airflow_provider_comms.simulator import Simulator

MODULE = ("airflow_provider_comms",)
WAYS = [pytest.param(MODULE, id="python -m")]
if Version(airflow_version) >= Version("3.2"):
    WAYS.append(pytest.param(("airflow", "comms"), id="airflow comms"))


def environment(**more):
    return {name: value for name, value in os.environ.items() if not name.startswith("TWILIO_")} | more


@pytest.fixture
def run(airflow_forks):
    """Run `python -m` with these words, in a process that has Airflow imported already."""

    def run(*command, **more):
        return airflow_forks.run(*command, env=environment(**more))

    return run


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def added(airflow_forks, simulator):
    """A connection in Airflow's database, added by Airflow's command."""
    one = {
        "--conn-type": "twilio_comms",
        "--conn-login": simulator.account_sid,
        "--conn-password": simulator.auth_token,
        "--conn-host": f"{simulator.url}/",
        "--conn-port": "0",
        "--conn-extra": json.dumps({"attempts": 2}),
    }
    words = (word for pair in one.items() for word in pair)
    done = airflow_forks.run("airflow", "connections", "add", "stored", *words, env=environment())
    assert done.returncode == 0, done.stderr
    return "stored"


@pytest.fixture
def stored(added, simulator):
    simulator.reset()
    return added


def test_airflows_own_test_reaches_us(run, stored, simulator):
    assert "Connection success!" in run("airflow", "connections", "test", stored).stdout
    simulator.fault(401)
    # Before Airflow 3.2 its exit status is 0 all the same.
    failed = " ".join(run("airflow", "connections", "test", stored).stdout.split())
    assert "Connection failed!" in failed
    assert "are not accepted" in failed


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_of_the_database_from_a_cold_start(stored, simulator, way):
    """What Airflow writes while it is imported is not in the result."""
    one = simulator.add_operation("emails", age=100)
    command = [sys.executable, "-m", *way, "list", "emails", "--conn-id", stored, "-o", "json"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, [each["id"] for each in json.loads(done.stdout)]) == (0, [one])
    assert "comms" not in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_is_not_there(run, way):
    done = run(*way, "check", "--conn-id", "nobody")
    assert (done.returncode, done.stdout.strip()) == (2, "")
    assert "The conn_id `nobody` isn't defined. Add it: airflow connections add nobody" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(len(WAYS) == 1, reason="before Airflow 3.2 there is no `airflow comms`")
def test_airflows_own_command_prefers_the_connection_and_names_it(run, stored, simulator):
    """The variables may be those of another account, left in the shell."""
    others = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "other", "COMMS_BASE_URL": simulator.url}
    connection = {"AIRFLOW_CONN_TWILIO_COMMS_DEFAULT": simulator.connection_json()}
    both = run("airflow", "comms", "check", **others, **connection)
    assert both.returncode == 0, both.stderr
    assert both.stdout.startswith("connection twilio_comms_default: Account SID AC…5100 can read")
    only_variables = run("airflow", "comms", "check", **others)
    assert only_variables.returncode == 6
    assert "environment variables TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: " in only_variables.stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_command_says_which_connection_it_took_by_itself(run, stored, simulator, way):
    connection = {"AIRFLOW_CONN_TWILIO_COMMS_DEFAULT": simulator.connection_json()}
    done = run(*way, "list", "emails", "-o", "json", **connection)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "Using connection twilio_comms_default.\n" in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_warning_of_the_client_is_said_apart_from_the_result(run, stored, simulator, way):
    one = simulator.add_operation("emails", age=100)
    simulator.add_operation("emails", age=200, raw_fields={"updatedAt": None})
    done = run(*way, "list", "emails", "--conn-id", stored, "-o", "json")
    assert (done.returncode, [each["id"] for each in json.loads(done.stdout)]) == (0, [one])
    assert "1 unreadable records are not in this list of emails operations" in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_switched_off_verification_is_said_apart_from_the_result(run, stored, simulator, way):
    connection = json.loads(simulator.connection_json()) | {"extra": {"verify": False}}
    done = run(*way, "list", "emails", "--conn-id", "open", "-o", "json", AIRFLOW_CONN_OPEN=json.dumps(connection))
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "TLS verification is OFF for connection open.\n" in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_statuses_are_the_same(run, stored, simulator, way):
    one = simulator.add_operation("emails", age=100, ends_in="CANCELED")
    done = run(*way, "wait", "emails", one, "--conn-id", stored, "-o", "json")
    assert done.returncode == 3
    assert json.loads(done.stdout)[0]["status"] == "CANCELED"

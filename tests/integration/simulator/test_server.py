"""Starting, stopping, and the ways to a connection."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from airflow_provider_comms.simulator import FieldError, ServerError, Simulator


def test_stopping_ends_it_and_it_can_start_again():
    simulator = Simulator()
    with simulator:
        url = simulator.url
        assert httpx.get(f"{url}/control/health").json()["status"] == "ok"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/control/health")
    with simulator:
        assert httpx.get(f"{simulator.url}/control/health").status_code == 200


def test_it_has_no_url_unless_it_runs():
    with pytest.raises(ServerError, match="not running"):
        Simulator().url  # noqa: B018
    Simulator().stop()


def test_it_runs_once():
    with Simulator() as simulator, pytest.raises(ServerError, match="running already"):
        simulator.start()


def test_a_taken_port_is_an_error_that_says_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(FieldError, match=r"port: cannot listen on 127\.0\.0\.1 port"):
            Simulator(port=taken.getsockname()[1]).start()


def test_it_starts_and_stops_without_waiting():
    begun = time.process_time(), time.monotonic()
    for _ in range(20):
        with Simulator() as simulator, socket.create_connection(("127.0.0.1", int(simulator.url.rpartition(":")[2]))):
            pass
    busy, passed = time.process_time() - begun[0], time.monotonic() - begun[1]

    assert passed < 2 + 20 * busy  # A busy machine may be slow, but a wait of 0.1 s each would show.


def test_several_run_side_by_side():
    with Simulator() as one, Simulator() as other:
        one.add_operation("emails")
        sizes = [httpx.get(f"{each.url}/control/health").json()["operations"]["emails"] for each in (one, other)]

    assert sizes == [1, 0]


def test_the_connection_as_json(simulator):
    assert json.loads(simulator.connection_json()) == {
        "conn_type": "twilio_comms",
        "login": simulator.account_sid,
        "password": simulator.auth_token,
        "host": simulator.url,
    }
    assert json.loads(simulator.connection_json(api_key=True))["login"] == simulator.api_key_sid


def test_the_connection_as_a_uri(simulator):
    parts = urlsplit(simulator.connection_uri())

    assert parts.scheme == "twilio-comms"
    assert (parts.username, unquote(parts.password)) == (simulator.account_sid, simulator.auth_token)
    assert unquote(parts.hostname) == simulator.url


def test_the_fixture_gives_an_empty_simulator(comms_simulator):
    health = httpx.get(f"{comms_simulator.url}/control/health").json()

    assert health["operations"] == {"emails": 0, "messages": 0}


def test_invalid_http_is_refused(simulator):
    with socket.create_connection(("127.0.0.1", int(simulator.url.rpartition(":")[2])), timeout=30) as connection:
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")

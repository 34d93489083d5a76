"""Each fault as a client meets it on a real connection."""

from __future__ import annotations

import json
import socket
import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from airflow_provider_comms.simulator.faults import KINDS

PATH = "/Emails/Operations"
REQUEST = b"GET /v1/Emails/Operations HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Basic %s\r\n\r\n"


def connect(simulator):
    """A raw connection on which one listing has been asked for."""
    _, _, address = simulator.url.partition("://")
    host, _, port = address.partition(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    header = httpx.BasicAuth(simulator.account_sid, simulator.auth_token)._auth_header
    connection.sendall(REQUEST % (int(port), header.removeprefix("Basic ").encode()))
    return connection


def receive_all(connection, into=None):
    """Every piece that arrives until the other side ends the connection."""
    pieces = [] if into is None else into
    while piece := connection.recv(65536):
        pieces.append(piece)
    return pieces


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503, 504, 418])
def test_an_error_status(simulator, api, status):
    simulator.fault(status)
    answer = api.get(PATH)

    assert answer.status_code == status
    assert "Retry-After" not in answer.headers
    if status in (502, 504):
        assert answer.headers["content-type"].startswith("text/html")
    elif status in (401, 403):
        assert answer.json()["status"] == status
    else:
        assert answer.json()["errors"][0]["code"] == 20000 + status


def test_retry_after_in_seconds_and_as_a_date(simulator, api):
    simulator.fault(429, retry_after=7, times=1)
    simulator.fault(503, retry_after=60, retry_after_form="date", times=1)
    seconds, date = api.get(PATH), api.get(PATH)

    assert seconds.headers["Retry-After"] == "7"
    assert 55 < parsedate_to_datetime(date.headers["Retry-After"]).timestamp() - time.time() < 65
    assert api.get(PATH).status_code == 200


def test_a_fault_strikes_only_what_it_is_for(simulator, api):
    first, second = simulator.add_operation("emails"), simulator.add_operation("emails")
    fault = simulator.fault(500, route="fetch", operation_id=first, skip=1, times=1)
    urls = [f"{PATH}/{first}", f"{PATH}/{second}", PATH, f"{PATH}/{first}", f"{PATH}/{first}"]

    assert [api.get(url).status_code for url in urls] == [200, 200, 200, 500, 200]
    assert fault.hits == 1
    assert [request.fault for request in simulator.requests] == [None, None, None, "status", None]


def test_the_first_fault_that_strikes_is_taken(simulator, api):
    first, second = simulator.fault(429, times=1), simulator.fault(503)

    assert [api.get(PATH).status_code for _ in range(3)] == [429, 503, 503]
    assert (first.hits, second.hits, second.matched) == (1, 2, 2)
    simulator.clear_faults()
    assert api.get(PATH).status_code == 200


def test_slow(simulator, api):
    simulator.fault("slow", seconds=0.2)
    begun = time.monotonic()

    assert api.get(PATH).status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_hang(simulator, api):
    simulator.fault("hang")
    with pytest.raises(httpx.ReadTimeout):
        api.get(PATH, timeout=0.2)

    assert simulator.requests[0].status is None


@pytest.mark.parametrize(("kind", "status"), [("hang", "none"), ("slow", "none"), ("drip_headers", "200")])
def test_a_request_is_over_when_its_client_has_left(simulator, kind, status):
    simulator.fault(kind, seconds=60, interval=60)
    with connect(simulator):
        wait_for(lambda: simulator.request_counts()["in_flight"] == 1)
    wait_for(lambda: simulator.request_counts()["in_flight"] == 0)

    assert simulator.request_counts()["by_status"] == {status: 1}


def wait_for(condition, seconds=2):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_drip_headers(simulator):
    simulator.fault("drip_headers", interval=0.0005)
    with connect(simulator) as connection:
        pieces = receive_all(connection)
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")

    assert len(pieces) > 100
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body)["operations"] == []


def test_drip_body(simulator, api):
    simulator.fault("drip_body", interval=0.001)
    with connect(simulator) as connection:
        pieces = receive_all(connection)

    assert b"\r\n\r\n" in pieces[0]
    assert len(pieces) > 20
    assert api.get(PATH).json()["operations"] == []


def test_reset_before_any_byte(simulator):
    simulator.fault("reset")
    with connect(simulator) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_reset_in_mid_body(simulator):
    simulator.seed("emails", 50)
    simulator.fault("reset_body")
    pieces = []
    with connect(simulator) as connection, pytest.raises(ConnectionResetError):
        receive_all(connection, pieces)

    assert b'{"operations":[' in b"".join(pieces)


def test_truncated(simulator, api):
    simulator.seed("emails", 50)
    simulator.fault("truncated")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        api.get(PATH)


def test_cut_json(simulator, api):
    simulator.seed("emails", 50)
    simulator.fault("cut_json")
    answer = api.get(PATH)

    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_gzip(simulator, api):
    simulator.seed("emails", 3)
    plain = api.get(PATH).json()["operations"]
    simulator.fault("gzip", padding=3_000_000)
    answer = api.get(PATH)

    assert (answer.headers["content-encoding"], answer.json()["operations"]) == ("gzip", plain)
    assert int(answer.headers["content-length"]) < 10_000
    assert len(answer.content) > 3_000_000


def test_gzip_in_layers(simulator, api):
    simulator.fault("gzip", padding=10_000_000, layers=3)
    answer = api.get(PATH)

    assert answer.headers["content-encoding"] == "gzip, gzip, gzip"
    assert int(answer.headers["content-length"]) < 1000
    assert len(answer.content) > 10_000_000


def test_html(simulator, api):
    simulator.fault("html")
    answer = api.get(PATH)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_raw(simulator, api):
    simulator.fault("raw", status=299, headers={"X-Odd": "1", "Content-Type": "application/json"}, body=b"\xff\xfe")
    answer = api.get(PATH)

    assert (answer.status_code, answer.headers["X-Odd"], answer.content) == (299, "1", b"\xff\xfe")


def test_raw_may_lie_about_its_length(simulator, api):
    simulator.fault("raw", headers={"Content-Length": "10"}, body=b"abc")
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(PATH)


@pytest.mark.parametrize("status", [302, 307, 308])
def test_redirect(simulator, api, status):
    simulator.fault("redirect", status=status, location="http://127.0.0.1:1/elsewhere")
    answer = api.get(PATH)

    assert (answer.status_code, answer.headers["Location"]) == (status, "http://127.0.0.1:1/elsewhere")


def test_the_connection_serves_on_after_a_fault_that_keeps_to_http(simulator, api):
    for kind in (429, "html", "cut_json"):
        simulator.fault(kind, times=1)
    statuses = [api.get(PATH).status_code for _ in range(4)]

    assert statuses == [429, 200, 200, 200]


def test_wrong_credentials_do_not_save_from_a_fault(simulator):
    simulator.fault(503)

    assert httpx.get(f"{simulator.url}/v1{PATH}").status_code == 503


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "redirect"])
def test_no_fault_holds_up_the_end(simulator, kind):
    simulator.seed("emails", 200)
    simulator.fault(kind, seconds=60, interval=60)
    with connect(simulator):
        wait_for(lambda: simulator.request_counts()["total"] == 1)
        begun = time.monotonic()
        simulator.stop()

    assert time.monotonic() - begun < 30  # Of the 60 s that the fault lasts.

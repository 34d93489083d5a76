"""Nobody is held longer than was agreed, whatever the server does with its socket."""

from __future__ import annotations

import socket
import time

import pytest

from airflow_provider_comms.comms.errors import CommsTimeoutError, CommsUnreachableError

DRIPPED_HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Padding: " + b"x" * 10_000
DRIPPED_BODY = b" " * 10_000


def silence(exchange) -> None:
    exchange.silence()


def drip_headers(exchange) -> None:
    exchange.drip(DRIPPED_HEADERS, 0.01)


def drip_body(exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    exchange.drip(DRIPPED_BODY, 0.01)


def drip_chunks(exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.drip(b"1\r\n \r\n" * 1000, 0.005)


def continue_for_ever(exchange) -> None:
    exchange.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0.001)


def drip_an_error(exchange) -> None:
    exchange.send(b"HTTP/1.1 500 No\r\nContent-Length: 10000\r\n\r\n")
    exchange.drip(DRIPPED_BODY, 0.01)


HOLDING = [silence, drip_headers, drip_body, drip_chunks, continue_for_ever, drip_an_error]
holds = pytest.mark.parametrize("hold", HOLDING, ids=lambda hold: hold.__name__)


@holds
def test_one_attempt_ends_in_its_time(make_client, settings_for, raw_server, within, hold):
    server = raw_server(hold)
    client = make_client(settings_for(server, attempts=1, attempt_timeout=0.2))
    with within(4), pytest.raises(CommsTimeoutError, match=r"in 0\.2 s") as caught:
        client.get("emails", "x")
    assert caught.value.context.operation_id == "x"
    assert len(server.exchanges) == 1


@holds
def test_all_attempts_end_in_the_time_of_the_call(make_client, settings_for, raw_server, within, hold):
    server = raw_server(hold)
    client = make_client(settings_for(server, attempts=100, attempt_timeout=0.1, call_timeout=0.3))
    with within(4), pytest.raises(CommsTimeoutError):
        client.list("emails")
    assert 1 < len(server.exchanges) < 6


def test_the_last_attempt_does_not_outlast_the_call(make_client, settings_for, raw_server, within):
    client = make_client(settings_for(raw_server(silence), attempts=100, attempt_timeout=10, call_timeout=0.2))
    with within(4), pytest.raises(CommsTimeoutError):
        client.get("emails", "x")


def test_silence_ends_in_the_read_timeout(make_client, settings_for, raw_server, within):
    client = make_client(settings_for(raw_server(silence), attempts=1, read_timeout=0.1))
    with within(4), pytest.raises(CommsTimeoutError, match="ReadTimeout"):
        client.get("emails", "x")


def test_a_connection_that_is_never_accepted_ends_in_the_connect_timeout(make_client, settings_for, raw_server, within):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(3):  # What the kernel accepts on the listener's behalf.
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listening.getsockname())
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        client = make_client(settings_for(raw_server(b""), base_url=url, attempts=1, connect_timeout=0.1))
        with within(4), pytest.raises(CommsTimeoutError, match="ConnectTimeout"):
            client.get("emails", "x")
        for one in waiting:
            one.close()


def test_tls_that_never_begins_ends_in_the_connect_timeout(make_client, settings_for, within):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        settings = settings_for(type("Nowhere", (), {"url": url}), attempts=1, connect_timeout=0.1)
        with within(4), pytest.raises(CommsTimeoutError, match="ConnectTimeout"):
            make_client(settings).get("emails", "x")


def test_those_who_wait_for_their_turn_are_held_no_longer_either(make_client, settings_for, raw_server, within):
    """One request at a time, and the first never ends: the others have a time of their own."""
    server = raw_server(silence)
    client = make_client(settings_for(server, max_in_flight=1, attempts=100, attempt_timeout=0.25, call_timeout=0.3))
    with within(4):
        found = client.side_by_side([f"operation{n}" for n in range(60)])
    assert {type(error) for error in found} == {CommsTimeoutError}
    assert any("took all of its" in error.message for error in found)
    assert not any("-" in error.message.split(" its ")[-1] for error in found)


def test_a_server_that_goes_away_gives_an_error_and_comes_back_to_an_answer(
    make_client, settings_for, raw_server, http, operation_json
):
    server = raw_server(silence)
    client = make_client(settings_for(server, attempts=1, attempt_timeout=0.1))
    with pytest.raises(CommsTimeoutError):
        client.get("emails", operation_json.id)
    server.answer = http(200, operation_json())
    assert client.get("emails", operation_json.id).id == operation_json.id


def test_a_call_that_ran_out_of_time_has_left_the_server(make_client, settings_for, raw_server, eventually):
    server = raw_server(silence)
    client = make_client(settings_for(server, attempts=1, attempt_timeout=0.1))
    with pytest.raises(CommsTimeoutError):
        client.get("emails", "x")
    eventually(server.exchanges[0].left.is_set)


def test_a_slow_server_that_is_in_time_is_no_error(make_client, settings_for, raw_server, http, operation_json):
    body = http(200, operation_json())

    def slowly(exchange) -> None:
        for at in range(0, len(body), 40):
            exchange.send(body[at : at + 40])
            time.sleep(0.005)

    client = make_client(settings_for(raw_server(slowly), attempts=1))
    assert client.get("emails", operation_json.id).id == operation_json.id


def test_an_upload_that_nobody_reads_is_no_trap(make_client, settings_for, raw_server, hang_up):
    server = raw_server(lambda exchange: exchange.reset() or hang_up)
    client = make_client(settings_for(server, attempts=2))
    with pytest.raises(CommsUnreachableError):
        client.get("emails", "x")
    assert len(server.exchanges) == 2

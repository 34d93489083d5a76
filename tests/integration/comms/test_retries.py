"""Retries over real HTTP: which requests are sent again, how often, and what is raised in the end."""

from __future__ import annotations

import socket
import time

import pytest

from airflow_provider_comms.comms.errors import (
    CommsAuthenticationError,
    CommsBadRequestError,
    CommsNotFoundError,
    CommsPermissionError,
    CommsProtocolError,
    CommsRateLimitError,
    CommsServerError,
    CommsSettingsError,
    CommsStatusError,
    CommsTimeoutError,
    CommsUnreachableError,
)

TRANSIENT = {
    # What happens -> what is raised if it goes on.
    "429": (lambda s: s.fault(429), CommsRateLimitError),
    "500": (lambda s: s.fault(500), CommsServerError),
    "502": (lambda s: s.fault(502), CommsServerError),
    "503": (lambda s: s.fault(503), CommsServerError),
    "504": (lambda s: s.fault(504), CommsServerError),
    "reset": (lambda s: s.fault("reset"), CommsUnreachableError),
    "reset in the body": (lambda s: s.fault("reset_body"), CommsUnreachableError),
    "truncated": (lambda s: s.fault("truncated"), CommsUnreachableError),
    "silence": (lambda s: s.fault("hang"), CommsTimeoutError),
}
FINAL = {
    400: CommsBadRequestError,
    401: CommsAuthenticationError,
    403: CommsPermissionError,
    404: CommsNotFoundError,
    405: CommsStatusError,
    410: CommsStatusError,
    422: CommsStatusError,
    501: CommsStatusError,
}


@pytest.fixture
def impatient(make_client, settings_for, simulator):
    return make_client(settings_for(simulator, attempts=3, read_timeout=0.05))


@pytest.mark.parametrize(("strike", "raised"), TRANSIENT.values(), ids=TRANSIENT)
def test_what_may_pass_is_asked_again_up_to_the_attempts(impatient, simulator, strike, raised):
    strike(simulator)
    with pytest.raises(CommsUnreachableError if issubclass(raised, CommsUnreachableError) else raised) as caught:
        impatient.get("emails", simulator.add_operation())
    assert type(caught.value) is raised
    assert len(simulator.requests) == 3


@pytest.mark.parametrize("strike", [strike for strike, _ in TRANSIENT.values()], ids=TRANSIENT)
def test_what_has_passed_leaves_an_answer(impatient, simulator, strike):
    operation_id = simulator.add_operation()
    strike(simulator).times = 2
    assert impatient.get("emails", operation_id).id == operation_id
    assert len(simulator.requests) == 3


def test_a_page_is_asked_again_with_its_token_and_no_operation_is_lost(impatient, simulator):
    simulator.seed("emails", 10)
    simulator.fault(503, route="list", skip=1, times=2)
    assert len({operation.id for operation in impatient.list("emails", page_size=4)}) == 10
    first, second, third, fourth, fifth = (request.query.get("pageToken") for request in simulator.requests)
    assert first is None
    assert second == third == fourth is not None
    assert fifth not in (None, fourth)


@pytest.mark.parametrize("retry_after", [None, "0", "1"])
@pytest.mark.parametrize(("status", "raised"), FINAL.items())
def test_what_will_not_pass_is_asked_once(client, simulator, status, raised, retry_after):
    simulator.fault(status, retry_after=retry_after)
    with pytest.raises(CommsStatusError) as caught:
        client.get("emails", simulator.add_operation())
    assert type(caught.value) is raised
    assert caught.value.context.status == status
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("kind", ["html", "cut_json"])
def test_a_wrong_answer_is_asked_for_once(client, simulator, kind):
    simulator.fault(kind)
    with pytest.raises(CommsProtocolError):
        client.get("emails", simulator.add_operation())
    assert len(simulator.requests) == 1


def test_wrong_credentials_are_tried_once(make_client, settings_for, simulator):
    client = make_client(settings_for(simulator, password="wrong-password"))
    with pytest.raises(CommsAuthenticationError) as caught:
        client.get("emails", simulator.add_operation())
    assert caught.value.context.code == 20003
    assert len(simulator.requests) == 1


def test_a_refused_connection_is_tried_again_and_is_unreachable(make_client, settings_for, raw_server):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    server = raw_server(b"")
    client = make_client(settings_for(server, base_url=f"http://127.0.0.1:{port}", attempts=2))
    with pytest.raises(CommsUnreachableError, match="ConnectError") as caught:
        client.get("emails", "x")
    assert type(caught.value) is CommsUnreachableError
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "connection under test" in str(caught.value)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".invalid", "a..invalid", "xn--.invalid"])
def test_a_host_that_does_not_exist_or_cannot_is_a_comms_error(make_client, settings_for, raw_server, host):
    client = make_client(settings_for(raw_server(b""), base_url=f"http://{host}", attempts=1))
    with pytest.raises((CommsUnreachableError, CommsProtocolError, CommsSettingsError)):
        client.get("emails", "x")


def test_one_attempt_is_one_request(make_client, settings_for, simulator):
    simulator.fault(500)
    with pytest.raises(CommsServerError):
        make_client(settings_for(simulator, attempts=1)).get("emails", "x")
    assert len(simulator.requests) == 1


def test_the_time_of_a_call_bounds_its_attempts(make_client, settings_for, simulator, within):
    simulator.fault(500, retry_after="0.1")
    client = make_client(settings_for(simulator, attempts=1000, call_timeout=0.35))
    # On a busy machine the time is up before an attempt is answered.
    with within(8), pytest.raises((CommsServerError, CommsTimeoutError)):
        client.get("emails", "x")
    assert 1 <= len(simulator.requests) <= 4


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("retry_after", "form"), [(3600, "seconds"), (3600, "date"), ("99999999", "seconds")])
def test_a_wish_above_the_cap_gives_up_at_once_and_hands_it_on(*, client, simulator, within, status, retry_after, form):
    simulator.fault(status, retry_after=retry_after, retry_after_form=form)
    with within(8), pytest.raises(CommsStatusError) as caught:
        client.get("emails", "x")
    assert caught.value.retry_after == pytest.approx(300, abs=2)  # Five minutes at most, whatever it says.
    assert len(simulator.requests) == 1


def test_a_wish_longer_than_the_call_gives_up_at_once_and_hands_it_on(make_client, settings_for, simulator, within):
    simulator.fault(503, retry_after=50)
    client = make_client(settings_for(simulator, call_timeout=20, retry_after_cap=100))
    with within(10), pytest.raises(CommsServerError) as caught:
        client.get("emails", "x")
    assert caught.value.retry_after == 50
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_wish_below_the_cap_is_waited_for(client, simulator, status):
    operation_id = simulator.add_operation()
    simulator.fault(status, retry_after="0.3", times=1)
    client.get("emails", operation_id)
    first, second = (request.at for request in simulator.requests)
    assert second - first >= 0.3


@pytest.mark.parametrize("retry_after", ["-5", "0", "Thu, 01 Jan 1970 00:00:00 GMT", "soon", "٣"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wish_for_the_past_is_now_and_garbage_is_no_wish(
    *, make_client, settings_for, raw_server, http, operation_json, status, retry_after, within
):
    sent = retry_after.encode().decode("latin-1")
    refusal, good = http(status, b"{}", Retry_After=sent), http(200, operation_json())
    server = raw_server(lambda exchange: exchange.send(refusal if exchange.number == 1 else good))
    with within(3):
        make_client(settings_for(server)).get("emails", operation_json.id)
    assert len(server.exchanges) == 2


def test_an_answer_cut_on_a_kept_connection_does_not_spoil_the_next_one(client, simulator):
    operation_id = simulator.add_operation()
    for _ in range(3):
        simulator.fault("truncated", times=1)
        assert client.get("emails", operation_id).id == operation_id


def test_the_server_may_close_a_kept_connection_at_any_time(
    *, make_client, settings_for, raw_server, http, operation_json, hang_up
):
    def once(exchange) -> object:
        exchange.send(http(200, operation_json()))
        return hang_up

    server = raw_server(once)
    client = make_client(settings_for(server))
    for _ in range(4):
        client.get("emails", operation_json.id)
        time.sleep(0.01)
    assert server.accepted == 4

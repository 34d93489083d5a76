"""A send goes out once: repeated only where nothing can have been sent, and never in silence."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time

import pytest

from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
from airflow_provider_comms.comms.errors import (
    Cause,
    CommsArgumentError,
    CommsBadRequestError,
    CommsCertificateError,
    CommsError,
    CommsPermissionError,
    CommsProtocolError,
    CommsRateLimitError,
    CommsServerError,
    CommsStatusError,
    CommsTimeoutError,
    CommsUnreachableError,
)
from airflow_provider_comms.comms.sending.requests import MessageSend
from airflow_provider_comms.sending.outcome import Outcome, outcome_of
from tests.integration.comms.certificates import write_certificate

ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
URL = f"https://comms.twilio.com/v1/Emails/Operations/{ID}"
ACCEPTED = json.dumps({"operationId": ID, "operationLocation": URL}).encode()
LONG = "<p>" + "x" * 4_000_000 + "</p>"
"""HTML that does not fit into the buffers of a socket."""


@pytest.fixture
def send(make_client, settings_for, raw_server, email):
    """Send an e-mail to a raw server; return what came of it, error or not, and the server."""

    def run(answer, request=None, **changes):
        server = raw_server(answer, tls=changes.pop("tls", None))
        if changes.pop("over_tls", False):
            changes["base_url"] = server.url.replace("http:", "https:")
        try:
            return make_client(settings_for(server, **changes)).send(request or email()), server
        except CommsError as error:
            return error, server

    return run


# -- What is posted -------------------------------------------------------------------------------------------------


def test_what_is_posted_is_the_request_as_it_was_checked(send, email, http):
    request = email(tags={"airflow.send": "1f"})
    accepted, server = send(http(202, ACCEPTED), request)
    (exchange,) = server.exchanges
    assert accepted.operation_id == ID
    assert exchange.head.startswith(b"POST /v1/Emails HTTP/1.1\r\n")
    assert exchange.header("content-type") == "application/json"
    assert exchange.header("authorization").startswith("Basic ")
    assert exchange.body == request.body()


def test_a_message_is_posted_to_its_own_collection(send, http):
    accepted, server = send(http(202, ACCEPTED), MessageSend(to=["+14155550100"], text="Hello"))
    assert server.exchanges[0].target == "/v1/Messages"
    assert accepted.operation_id == ID


def test_each_send_has_a_connection_of_its_own(*, make_client, settings_for, raw_server, email, http, operation_json):
    """A connection that was used before may be closed at its other end, and nobody knows what the API read of it."""

    def answer(exchange):
        exchange.read_body()
        is_send = exchange.head.startswith(b"POST")
        exchange.send(http(202, ACCEPTED) if is_send else http(200, operation_json()))

    server = raw_server(answer)
    client = make_client(settings_for(server))
    client.get("emails", operation_json.id)
    client.send(email())
    client.get("emails", operation_json.id)
    client.send(email())
    assert len(server.exchanges) == 4
    assert server.accepted == 3  # The fetches share one.


@pytest.mark.parametrize("request_", [MessageSend(to=["+14155550100"], text="Hello"), {"to": ["x"]}, None])
def test_a_request_of_another_kind_is_refused(settings_for, raw_server, request_):
    server = raw_server(b"")
    with CommsClient(settings_for(server)) as client, pytest.raises(CommsArgumentError, match="does not send emails"):
        client.send_emails(request_)
    assert server.accepted == 0


# -- Accepted, however odd the response is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "headers", "operation_id"),
    [
        (202, ACCEPTED, {}, ID),
        (202, json.dumps({"operationId": ID}).encode(), {}, ID),
        (202, b"", {"location": URL}, ID),
        (202, b"", {"location": f"/v1/Emails/Operations/{ID}/"}, ID),
        (202, json.dumps({"operationLocation": URL}).encode(), {}, ID),
        (202, b"<html>Thanks</html>", {"content_type": "text/html", "location": URL}, ID),
        (202, json.dumps({"operationId": "../x"}).encode(), {"location": URL}, ID),
        (202, json.dumps({"operationId": None}).encode(), {"location": "https://x/y"}, None),
        (202, b"", {"location": "http://[::1"}, None),
        (202, b"", {}, None),
        (202, b"[]", {}, None),
        (202, b"<html>Thanks</html>", {"content_type": "text/html"}, None),
        (202, b"[" * 100_000, {}, None),
        (202, b"not gzip", {"content_encoding": "gzip"}, None),
        (202, b"x", {"content_encoding": "br"}, None),
        (202, ACCEPTED + b" " * 5_000_000, {}, ID),
        (200, ACCEPTED, {}, ID),
        (201, b"", {"location": URL}, ID),
    ],
)
def test_a_202_is_accepted_whether_its_id_can_be_read_or_not(*, send, http, status, body, headers, operation_id):
    accepted, server = send(http(status, body, **headers), attempts=3)
    assert accepted.operation_id == operation_id
    assert len(server.exchanges) == 1


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html>Log in</html>", {"content_type": "text/html"}),
        (200, b"{}", {}),
        (200, b'{"status": "ok"}', {"location": "https://portal.example/login"}),
        (201, b"", {}),
        (204, b"", {}),
    ],
)
def test_a_success_that_nobody_of_the_api_wrote_is_unknown(*, send, http, status, body, headers):
    error, server = send(http(status, body, **headers), attempts=3)
    assert isinstance(error, CommsProtocolError)
    assert outcome_of(error) is Outcome.UNKNOWN
    assert len(server.exchanges) == 1


def test_the_id_of_the_request_is_kept(send, http):
    accepted, _ = send(http(202, ACCEPTED, twilio_request_id="RQ1"))
    assert (accepted.request_id, accepted.location) == ("RQ1", URL)


@pytest.mark.parametrize("location", ["", URL], ids=["no id", "an id"])
def test_accepted_is_what_the_status_says_although_the_rest_is_cut_off(send, http, hang_up, location):
    def answer(exchange):
        exchange.read_body()
        exchange.send(http(202, b"", Content_Length="500", location=location) + b'{"operationId": "comms_op')
        return hang_up

    accepted, server = send(answer, attempts=3)
    assert accepted.operation_id == (ID if location else None)
    assert len(server.exchanges) == 1


def test_accepted_is_what_the_status_says_although_the_rest_drips(send, http):
    def answer(exchange):
        exchange.read_body()
        exchange.send(http(202, b"", Content_Length="500"))
        exchange.drip(b" " * 500, 0.01)

    accepted, server = send(answer, attempts=3, attempt_timeout=0.2, call_timeout=0.3)
    assert accepted.operation_id is None
    assert len(server.exchanges) == 1


# -- Not one byte was written: it may be repeated ---------------------------------------------------------------------


def test_a_name_that_cannot_be_resolved(send):
    error, _ = send(b"", base_url="http://no-such-host.invalid", attempts=2)
    assert (error.context.cause, error.context.sent) == (Cause.DNS, False)


def test_nobody_listens_yet(make_client, settings_for, raw_server, email, http):
    """What is not sent at first is sent once somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
    late: list[socket.socket] = []

    def listen() -> None:
        late.append(socket.create_server(address))
        connection, _ = late[0].accept()
        with connection:
            connection.recv(65536)
            connection.sendall(http(202, ACCEPTED))

    begin = threading.Timer(0.1, listen)
    begin.start()
    url = f"http://127.0.0.1:{address[1]}"
    client = make_client(settings_for(raw_server(b""), base_url=url, attempts=100, backoff_cap=0.05))
    try:
        assert client.send(email()).operation_id == ID
    finally:
        begin.join()
        late[0].close()


def test_nobody_ever_listens(send):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    error, _ = send(b"", base_url=url, attempts=2)
    assert (error.context.cause, error.context.sent) == (Cause.REFUSED, False)
    assert "tag" not in error.advice


def test_a_connection_that_is_not_made_in_time(send):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        error, _ = send(b"", base_url=f"http://127.0.0.1:{address[1]}", attempts=1, connect_timeout=0.1)
        for one in waiting:
            one.close()
    assert (error.context.cause, error.context.sent) == (Cause.CONNECT_TIMEOUT, False)


@pytest.mark.parametrize("changes", [{"connect_timeout": 0.1}, {"attempt_timeout": 0.1, "call_timeout": 0.1}])
def test_a_tls_handshake_that_is_not_answered(send, changes):
    error, server = send(lambda exchange: exchange.silence(), over_tls=True, attempts=1, **changes)
    assert type(error) is CommsTimeoutError
    assert error.context.sent is False
    assert server.accepted == 1


def test_tls_that_the_other_side_does_not_speak_is_tried_again(send):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answered = threading.Thread(target=answer_no_tls, args=(listening, 3), daemon=True)
        answered.start()
        error, _ = send(b"", base_url=f"https://127.0.0.1:{listening.getsockname()[1]}", attempts=3)
        answered.join(5)
        assert not answered.is_alive()
    assert (error.context.cause, error.context.sent) == (Cause.TLS, False)


def answer_no_tls(listening: socket.socket, times: int) -> None:
    for _ in range(times):
        connection, _ = listening.accept()
        with connection:
            connection.recv(10)
            connection.sendall(b"HTTP/1.1 400 No\r\n\r\n")


def test_a_certificate_that_nobody_vouches_for(send, tmp_path):
    _, tls = write_certificate(tmp_path, "untrusted", "127.0.0.1")
    error, server = send(b"", tls=tls, attempts=3)
    assert type(error) is CommsCertificateError
    assert error.context.sent is False
    assert (server.accepted, server.exchanges) == (1, [])


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_does_not_connect_us(send, raw_server, http, status):
    proxy = raw_server(http(status))
    error, _ = send(b"", base_url="https://comms.invalid", proxy=proxy.url, attempts=3)
    assert (error.context.cause, error.context.sent) == (Cause.PROXY, False)
    assert [exchange.head.split()[0] for exchange in proxy.exchanges] == [b"CONNECT"] * 3


def test_a_proxy_that_takes_the_connect_and_says_nothing(send, raw_server):
    proxy = raw_server(lambda exchange: exchange.silence())
    error, _ = send(
        b"", base_url="https://comms.invalid", proxy=proxy.url, attempts=1, attempt_timeout=0.1, call_timeout=0.1
    )
    assert (error.context.cause, error.context.sent) == (Cause.TIMEOUT, False)


@pytest.mark.parametrize("then", [b"", b"HTTP/1.1 400 No\r\n\r\n"])
def test_tls_that_fails_behind_a_proxy_that_has_connected_us(send, raw_server, hang_up, then):
    def connect(exchange):
        exchange.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        exchange.connection.recv(100)
        exchange.send(then)
        return hang_up

    proxy = raw_server(connect)
    error, _ = send(b"", base_url="https://comms.invalid", proxy=proxy.url, attempts=2)
    assert error.context.sent is False
    assert len(proxy.exchanges) == 2


def test_behind_a_proxy_that_passes_it_on_nothing_is_known(send, raw_server, hang_up):
    proxy = raw_server(lambda exchange: hang_up)
    error, _ = send(b"", base_url="http://comms.invalid", proxy=proxy.url, attempts=3)
    assert error.context.sent is True
    assert len(proxy.exchanges) == 1


def test_our_own_throttle_that_is_closed(make_client, settings_for, raw_server, email, http):
    server = raw_server(http(429, b"", retry_after="200"))
    client = make_client(settings_for(server, attempts=5))
    with pytest.raises(CommsRateLimitError):
        client.send(email())
    with pytest.raises(CommsRateLimitError, match=r"^Not sent") as caught:
        client.send(email())
    assert caught.value.context.sent is False
    assert len(server.exchanges) == 1


def test_a_host_that_is_no_name_at_all(send):
    error, _ = send(b"", base_url=f"http://{'a' * 64}.example.com", attempts=2)
    assert error.context.sent is False


def test_no_turn_within_the_time_of_the_call(settings_for, raw_server, email):
    server = raw_server(lambda exchange: exchange.silence())

    async def two_at_a_time() -> list:
        settings = settings_for(server, max_in_flight=1, call_timeout=0.2, attempt_timeout=0.4, attempts=1)
        async with AsyncCommsClient(settings) as client:
            return await asyncio.gather(*(client.send_emails(email()) for _ in range(2)), return_exceptions=True)

    errors = asyncio.run(two_at_a_time())
    assert sorted(error.context.sent for error in errors) == [False, True]
    assert len(server.exchanges) == 1


def test_what_was_refused_with_429_is_sent_again_after_the_time_it_names(send, http):
    answers = [http(429, b"", retry_after="0.2"), http(429, b"", retry_after="0"), http(202, ACCEPTED)]

    def answer(exchange):
        exchange.read_body()
        exchange.send(answers[exchange.number - 1])

    began = time.monotonic()
    accepted, server = send(answer, attempts=3)
    assert accepted.operation_id == ID
    assert len(server.exchanges) == 3
    assert time.monotonic() - began >= 0.2


def test_a_429_is_the_end_when_the_policy_says_so(send, http):
    error, server = send(http(429, b"", retry_after="121"), attempts=3)
    assert type(error) is CommsRateLimitError
    assert len(server.exchanges) == 1


# -- Something was written: never again ------------------------------------------------------------------------------


def close_at_once(exchange):
    return None


def reset_at_once(exchange):
    exchange.reset()


def read_half_and_close(exchange):
    exchange.read_body(0.5)


def read_half_and_reset(exchange):
    exchange.read_body(0.5)
    exchange.reset()


def read_all_and_close(exchange):
    exchange.read_body()


def read_all_and_reset(exchange):
    exchange.read_body()
    exchange.reset()


def speak_no_http(exchange):
    exchange.read_body()
    exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n")


def begin_a_head(exchange):
    exchange.read_body()
    exchange.send(b"HTTP/1.1 202 Accepted\r\nLoca")


CUTS = [
    close_at_once,
    reset_at_once,
    read_half_and_close,
    read_half_and_reset,
    read_all_and_close,
    read_all_and_reset,
    speak_no_http,
    begin_a_head,
]


@pytest.mark.parametrize("html", ["<p>Hello</p>", LONG], ids=["short", "long"])
@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.__name__)
def test_a_connection_that_ends_before_the_status(send, email, hang_up, cut, html):
    def answer(exchange):
        cut(exchange)
        return hang_up

    error, server = send(answer, email(html=html), attempts=3)
    assert isinstance(error, CommsUnreachableError), error
    assert error.context.sent is True
    assert "Before you send it again" in error.advice
    assert len(server.exchanges) == server.accepted == 1


def test_a_connection_that_ends_after_the_handshake(send, email, hang_up, tmp_path):
    path, tls = write_certificate(tmp_path, "trusted", "127.0.0.1")

    def answer(exchange):
        return hang_up

    error, server = send(answer, tls=tls, ca_file=path, attempts=3)
    assert isinstance(error, CommsUnreachableError)
    assert error.context.sent is True
    assert server.accepted == 1


def read_and_say_nothing(exchange):
    exchange.read_body()
    exchange.silence()


def continue_for_ever(exchange):
    exchange.read_body()
    exchange.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0.01)


def read_nothing(exchange):
    exchange.stopping.wait(1)


@pytest.mark.parametrize(
    ("hold", "html"),
    [(read_and_say_nothing, "<p>Hello</p>"), (continue_for_ever, "<p>Hello</p>"), (read_nothing, LONG)],
    ids=["says nothing", "only continues", "reads nothing"],
)
def test_no_status_in_time(send, email, hold, html):
    error, server = send(hold, email(html=html), attempts=3, attempt_timeout=0.2, call_timeout=0.2)
    assert type(error) is CommsTimeoutError
    assert (error.context.cause, error.context.sent) == (Cause.TIMEOUT, True)
    assert len(server.exchanges) == 1


def test_a_response_may_take_longer_than_a_read_of_other_requests_may(send, http):
    def answer(exchange):
        exchange.read_body()
        exchange.stopping.wait(0.3)
        exchange.send(http(202, ACCEPTED))

    accepted, _ = send(answer, read_timeout=0.05, write_timeout=0.05)
    assert accepted.operation_id == ID


def test_a_send_that_begins_at_the_end_of_the_calls_time_has_the_time_of_an_attempt(send, http):
    """Cut off sooner, nobody would know what came of it."""

    def answer(exchange):
        exchange.read_body()
        exchange.stopping.wait(0.3)
        exchange.send(http(202, ACCEPTED))

    accepted, _ = send(answer, call_timeout=0.1, attempt_timeout=5)
    assert accepted.operation_id == ID


STATUSES = {
    301: CommsProtocolError,
    302: CommsProtocolError,
    307: CommsProtocolError,
    308: CommsProtocolError,
    400: CommsBadRequestError,
    403: CommsPermissionError,
    413: CommsStatusError,
    415: CommsStatusError,
    422: CommsStatusError,
    500: CommsServerError,
    502: CommsServerError,
    503: CommsServerError,
    504: CommsServerError,
}


@pytest.mark.parametrize("status", STATUSES)
def test_no_other_status_is_asked_for_twice(send, http, status):
    error, server = send(http(status, b"", location="/v1/Emails/", retry_after="0"), attempts=3)
    assert type(error) is STATUSES[status]
    assert (error.context.status, error.context.sent) == (status, True)
    assert str(error.context).startswith("connection under test")
    assert "send of emails" in str(error)
    assert len(server.exchanges) == server.accepted == 1


def test_a_refusal_that_comes_before_the_body_was_read_is_heard(send, email, http, hang_up):
    """A server may answer 413 and hang up: what it said counts, not that the rest could not be written."""

    def answer(exchange):
        exchange.send(http(413, b"", connection="close"))
        exchange.connection.shutdown(socket.SHUT_WR)
        exchange.read_body()
        return hang_up

    error, _ = send(answer, email(html=LONG), attempts=3)
    assert error.context.status == 413


@pytest.mark.parametrize(
    ("answer", "statuses"),
    [((202, ACCEPTED), ["202"]), ((500, b""), ["500"]), ((429, b""), ["429", "429"])],
)
def test_an_observer_is_told_what_came_of_it(send, http, answer, statuses):
    told = []
    send(http(*answer, retry_after="0"), observer=told.append, attempts=2)
    assert [(one.method, one.status) for one in told] == [("POST", status) for status in statuses]


def test_an_observer_that_fails_does_not_take_the_place_of_what_was_accepted(send, http, caplog):
    def fail(_):
        raise RuntimeError("canary")

    accepted, _ = send(http(202, ACCEPTED), observer=fail)
    assert accepted.operation_id == ID
    assert "An observer of requests failed with RuntimeError." in caplog.text
    assert "canary" not in caplog.text


# -- Whoever leaves --------------------------------------------------------------------------------------------------


def test_cancelled_while_it_is_under_way_it_is_not_sent_again(settings_for, raw_server, email, eventually):
    server = raw_server(read_and_say_nothing)

    async def leave() -> None:
        async with AsyncCommsClient(settings_for(server, attempts=3)) as client:
            task = asyncio.create_task(client.send_emails(email()))
            await asyncio.to_thread(eventually, lambda: server.exchanges)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(leave())
    eventually(server.exchanges[0].left.is_set)
    assert server.accepted == 1


def test_closing_the_client_does_not_cut_off_a_send(settings_for, raw_server, email, http, eventually):
    closed = threading.Event()

    def answer(exchange):
        exchange.read_body()
        closed.wait(5)
        exchange.send(http(202, ACCEPTED))

    server = raw_server(answer)

    async def close_early():
        client = AsyncCommsClient(settings_for(server))
        task = asyncio.create_task(client.send_emails(email()))
        await asyncio.to_thread(eventually, lambda: server.exchanges)
        await client.aclose()
        closed.set()
        return await task

    assert asyncio.run(close_early()).operation_id == ID


def test_an_interrupt_of_the_blocking_client_ends_the_request(settings_for, raw_server, email, eventually):
    """As Airflow's execution_timeout, or a signal: nobody knows what came of it, and it is not sent again."""
    server = raw_server(read_and_say_nothing)

    def interrupt(*_):
        raise KeyboardInterrupt

    def when_it_is_under_way():
        eventually(lambda: server.exchanges)
        os.kill(os.getpid(), signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with CommsClient(settings_for(server, attempts=3)) as client:
            alarm = threading.Thread(target=when_it_is_under_way)
            alarm.start()
            with pytest.raises(KeyboardInterrupt):
                client.send_emails(email())
            alarm.join()
    finally:
        signal.signal(signal.SIGALRM, before)
    eventually(server.exchanges[0].left.is_set)
    assert server.accepted == 1

"""Why no response came: told by the error itself, for whoever explains it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from airflow_provider_comms.comms.errors import Cause, CommsUnreachableError


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def error_of(make_client, settings_for, raw_server):
    """Fetch once and return what was raised."""

    def fetch(answer=b"", **changes) -> CommsUnreachableError:
        server = raw_server(answer)
        if changes.pop("over_tls", False):
            changes["base_url"] = server.url.replace("http:", "https:")
        with pytest.raises(CommsUnreachableError) as caught:
            make_client(settings_for(server, **({"attempts": 1} | changes))).get("emails", "x")
        return caught.value

    return fetch


def test_a_name_that_cannot_be_resolved(error_of):
    error = error_of(base_url="http://no-such-host.invalid")
    assert error.context.cause is Cause.DNS
    assert error.context.detail in error.message
    assert error.message.startswith("GET /v1/Emails/Operations/x failed: ConnectError: ")


def test_a_port_where_nobody_listens(error_of):
    assert error_of(base_url=f"http://127.0.0.1:{free_port()}").context.cause is Cause.REFUSED


def test_plain_http_where_tls_was_asked_for(error_of):
    error = error_of(b"HTTP/1.1 400 No\r\n\r\n", over_tls=True, connect_timeout=0.5)
    assert error.context.cause in (Cause.TLS, Cause.CONNECT_TIMEOUT)


def test_tls_that_the_other_side_does_not_speak(error_of, raw_server):
    async def serve() -> Cause | None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 No\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            return (await asyncio.to_thread(error_of, base_url=url)).context.cause

    # In a thread of its own, since the async client of a test brings its own loop.
    assert asyncio.run(serve()) is Cause.TLS


def test_a_proxy_that_does_not_connect_us(error_of, raw_server, http):
    proxy = raw_server(http(407))
    error = error_of(base_url="https://comms.invalid", proxy=proxy.url)
    assert error.context.cause is Cause.PROXY
    assert "407" in error.context.detail


@pytest.mark.parametrize("changes", [{"read_timeout": 0.05}, {"attempt_timeout": 0.05}], ids=str)
def test_a_server_that_says_nothing(error_of, changes):
    assert error_of(lambda exchange: exchange.silence(), **changes).context.cause is Cause.TIMEOUT


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"]
)
def test_a_connection_that_is_closed_too_soon_or_speaks_no_http(error_of, hang_up, answer):
    def then_leave(exchange) -> object:
        exchange.send(answer)
        return hang_up

    assert error_of(then_leave).context.cause is Cause.DISCONNECTED


def test_a_response_is_no_cause(make_client, settings_for, simulator):
    found = make_client(settings_for(simulator)).try_many("emails", ["gone"])
    assert found["gone"].context.cause is None

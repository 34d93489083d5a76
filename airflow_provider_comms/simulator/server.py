"""The server: asyncio in a thread of its own, on a loopback address, which stops without delay."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_comms.simulator.connection import Connection
from airflow_provider_comms.simulator.fields import FieldError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_comms.simulator.connection import Request

    Respond = Callable[[Connection, Request], Awaitable[None]]

_BACKLOG = 2048
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class ServerError(RuntimeError):
    """The server could not be started or used as asked."""


def bind(host: str, port: int) -> socket.socket:
    """
    A listening socket on a loopback address.

    :param host: a loopback address, or ``localhost``.
    :param port: a port; 0 for any that is free.
    :raises FieldError: when the host is no loopback address, or the port is none or taken.
    """
    if not is_loopback(host):
        raise FieldError("host", f"must be a loopback address such as 127.0.0.1, not {host!r}")
    # asyncio only turns off Nagle's delay (40 ms per answer) for sockets that name their protocol.
    listening = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1" if host == "localhost" else host, port))
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        raise FieldError("port", f"cannot listen on {host} port {port}: {error}") from error
    return listening


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_source(headers: dict[str, str], port: int) -> None:
    """
    Check that a request does not come from a web page, nor by a foreign name that leads here.

    Any page in a browser on this machine can send requests to loopback, and give itself a name for it.

    :param headers: the request's, by their names in lower case.
    :param port: the port listened on.
    :raises FieldError: when it does.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _names_this_machine(host, port):
        raise FieldError("Host", f"must be a loopback address with port {port}, not {host!r}")
    if origin not in (None, f"http://{host}") or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise FieldError("Origin", "must be the simulator itself; web pages of other origins are not answered")


def _names_this_machine(host: str, port: int) -> bool:
    try:
        address = urlsplit(f"//{host}")
        return is_loopback(address.hostname or "") and (address.port or 80) == port and "@" not in host
    except ValueError:  # The port is no number, or too large.
        return False


class ServerThread:
    """
    Answers requests until it is stopped.

    :param respond: answers one request.
    :param listening: a socket made by :func:`bind`; it is closed when the server stops.
    """

    def __init__(self, respond: Respond, listening: socket.socket) -> None:
        self._respond = respond
        self._listening = listening
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="comms-simulator", daemon=True)

    def start(self) -> None:
        """
        Start serving; returns once requests are answered.

        :raises ServerError: when that does not come to pass.
        """
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise ServerError("the simulator's server did not start; see the traceback above")

    def stop(self) -> None:
        """Stop serving and drop every connection; does nothing when it has stopped already."""
        with suppress(RuntimeError):  # The loop is closed already.
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_STOP_SECONDS)
        self._listening.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, sock=self._listening, backlog=_BACKLOG)
        self._started.set()
        await self._stopping.wait()
        server.close()  # Connections end with the loop, which cancels what is under way.

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # It is the outermost; asyncio's streams would report it.
            await Connection(reader, writer).serve(self._respond)

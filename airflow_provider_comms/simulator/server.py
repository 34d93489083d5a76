"""The server: asyncio in a thread of its own, on a loopback address, which stops without delay."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from threading import Thread
from typing import Self
from urllib.parse import urlsplit

from airflow_provider_comms.simulator.connection import Connection, Request
from airflow_provider_comms.simulator.fields import FieldError

_BACKLOG = 2048
_STOP_SECONDS = 5.0


class ServerError(RuntimeError):
    """The server could not be started or used as asked."""


def bind(host: str, port: int) -> socket.socket:
    """
    A listening socket on a loopback address, and on any free port where the port is 0.

    :raises FieldError: when the host is no loopback address, or the port is none or taken.
    """
    if not is_loopback(host):
        raise FieldError("host", f"must be a loopback address such as 127.0.0.1, not {host!r}")
    # asyncio only turns off Nagle's delay (40 ms per answer) for sockets that name their protocol.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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


def foreign_source(headers: dict[str, str], port: int) -> FieldError | None:
    """
    What shows that a request comes from a web page, or by a foreign name that leads here; None where nothing does.

    Any page in a browser on this machine can send requests to loopback, and give itself a name for it.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _names_this_machine(host, port):
        return FieldError("Host", f"must be a loopback address with port {port}, not {host!r}")
    if origin not in (None, f"http://{host}") or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return FieldError("Origin", "must be the simulator itself; web pages of other origins are not answered")
    return None


def _names_this_machine(host: str, port: int) -> bool:
    try:
        address = urlsplit(f"//{host}")
        return is_loopback(address.hostname or "") and (address.port or 80) == port and "@" not in host
    except ValueError:  # The port is no number, or too large.
        return False


class Server(ABC):
    """What answers requests while it is used as a context manager, and can be started again."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port, self._url = host, port, ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._url or 'stopped'}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    async def _respond(self, connection: Connection, request: Request) -> None:
        """Answer one request."""

    @property
    def url(self) -> str:
        """
        The base URL without the version, such as ``http://127.0.0.1:40123``.

        :raises ServerError: when it is not running.
        """
        if not self._url:
            raise ServerError("the simulator is not running; use it as a context manager or call start()")
        return self._url

    def start(self) -> None:
        """
        Listen: from now on requests are answered.

        :raises FieldError: when the host is no loopback address or the port is taken.
        :raises ServerError: when it runs already.
        """
        if self._url:
            raise ServerError("this simulator is running already")
        listening = bind(self._host, self._port)
        host, self._port = listening.getsockname()[:2]  # Started again, it listens where it did.
        self._url = f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"
        self._loop, self._stopping = asyncio.new_event_loop(), asyncio.Event()
        self._thread = Thread(target=self._run, args=[listening], name="comms-simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop at once, whatever is under way; does nothing when it is not running."""
        if self._url:
            with suppress(RuntimeError):  # The loop has died already.
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_STOP_SECONDS)
            self._url = ""

    def _run(self, listening: socket.socket) -> None:
        with listening, asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        server = await asyncio.start_server(self._connected, sock=listening, backlog=_BACKLOG)
        await self._stopping.wait()
        server.close()  # Connections end with the loop, which cancels what is under way.

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # It is the outermost; asyncio's streams would report it.
            await Connection(reader, writer).serve(self._respond)

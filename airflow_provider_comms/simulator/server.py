"""The HTTP server: uvicorn in a thread of its own, on a loopback address, which stops without delay."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from typing import TYPE_CHECKING

import uvicorn

from airflow_provider_comms.simulator.checks import FieldError, whole
from airflow_provider_comms.simulator.exchange import OpenProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_BACKLOG = 2048
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_TASKS_SECONDS = 1.0
_TICK_SECONDS = 1.0


class ServerError(RuntimeError):
    """The server could not be started or used as asked."""


def bind(host: str, port: int) -> socket.socket:
    """
    A listening socket on a loopback address.

    :param host: a loopback address, or ``localhost``.
    :param port: a port; 0 for any that is free.
    :raises FieldError: when the host is no loopback address, or the port is none or taken.
    """
    address = _loopback(host)
    whole("port", port, most=65535)
    family = socket.AF_INET6 if isinstance(address, ipaddress.IPv6Address) else socket.AF_INET
    # asyncio only turns off Nagle's delay (40 ms per answer) for sockets that name their protocol.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((str(address), port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise FieldError("port", f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listening


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise FieldError("host", f"must be a loopback address such as 127.0.0.1, not {host!r}") from error
    if not address.is_loopback:
        raise FieldError("host", f"must be a loopback address such as 127.0.0.1, not {host!r}")
    return address


class _PromptServer(uvicorn.Server):
    """uvicorn's server, which drops what is under way when it is told to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def run_quietly(self, listening: socket.socket) -> None:
        """What ``serve`` does, without its lines in the log of whoever runs the simulator."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=[listening])
        await self.main_loop()
        await self.shutdown()

    async def main_loop(self) -> None:
        """Keep the Date header fresh until told to stop."""
        while not await self.on_tick(0):
            try:
                await asyncio.wait_for(self.stopping.wait(), _TICK_SECONDS)
            except TimeoutError:
                continue
            return

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        """Drop every connection; what was waiting for one of them ends by that."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            if isinstance(connection, OpenProtocol):
                connection.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_TASKS_SECONDS)


class ServerThread:
    """
    Runs an application until it is stopped.

    :param app: the ASGI application.
    :param listening: a socket made by :func:`bind`; it is closed when the server stops.
    """

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        self._app = app
        self._listening = listening
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: _PromptServer | None = None
        self._thread = threading.Thread(target=self._run, name="comms-simulator", daemon=True)

    def start(self) -> None:
        """
        Start serving; returns once requests are answered.

        :raises ServerError: when that does not come to pass.
        """
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not (self._server and self._server.started):
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise ServerError("the simulator's server did not start; see the traceback above")
            time.sleep(0.002)

    def stop(self) -> None:
        """Stop serving and drop every connection; does nothing when it has stopped already."""
        if self._loop and self._server and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._server.stopping.set)
        self._thread.join(_STOP_SECONDS)
        self._listening.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        config = uvicorn.Config(
            self._app, http=OpenProtocol, ws="none", lifespan="off", interface="asgi3", log_config=None
        )
        self._loop, self._server = asyncio.get_running_loop(), _PromptServer(config)
        await self._server.run_quietly(self._listening)

"""One request and its answer, with a way down to the TCP connection for answers that break HTTP."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from airflow_provider_comms.simulator.traffic import LoggedRequest

    Conclude = Callable[[LoggedRequest], None]

_TRANSPORT = "comms_simulator.transport"
_REQUEST_ID_HEADER = "Twilio-Request-Id"
_COOKIE_BYTES = 200
_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class OpenProtocol(H11Protocol):
    """uvicorn's protocol, which lets the application at the transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, and hand its transport to every request on it."""
        super().connection_made(transport)
        self.access_log = False
        self.app = _with_transport(self.app, transport)

    def abort(self) -> None:
        """Drop the connection at once, whatever is under way."""
        self.transport.abort()


def _with_transport(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TRANSPORT] = transport
        await app(scope, receive, send)

    return wrapped


class Exchange:
    """
    One request's connection.

    :param scope: the ASGI scope, made by :class:`OpenProtocol`.
    :param request_id: what every answer carries as ``Twilio-Request-Id``.
    :param entry: the request in the log.
    :param cookies: whether the answer sets a cookie.
    :param conclude: called when the request is over, right before the client can know.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        request_id: str,
        entry: LoggedRequest,
        conclude: Conclude,
        cookies: bool = False,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._entry = entry
        self._conclude = conclude
        self._cookies = cookies
        self._transport: asyncio.Transport = scope[_TRANSPORT]

    async def answer(self, response: Response) -> None:
        """Send an answer the way HTTP wants it."""
        self._begin(response)
        self._conclude(self._entry)
        await response(self._scope, self._receive, self._send)

    def head(self, response: Response) -> bytes:
        """The status line and headers of an answer as they go over the wire; the connection ends after it."""
        self._begin(response)
        lines = [name + b": " + value for name, value in response.raw_headers]
        status = f"HTTP/1.1 {response.status_code} Simulated".encode()
        return b"\r\n".join([status, *lines, b"connection: close", b"", b""])

    def _begin(self, response: Response) -> None:
        response.headers.setdefault(_REQUEST_ID_HEADER, self._request_id)
        self._entry.status = response.status_code
        if self._cookies:
            response.headers.append("Set-Cookie", f"session-{self._request_id}={'x' * _COOKIE_BYTES}; Path=/")

    def write(self, data: bytes) -> None:
        """Put bytes on the connection as they are."""
        self._transport.write(data)

    async def pause(self, seconds: float) -> bool:
        """Wait; True when the time is over, False as soon as the client has left."""
        try:
            await asyncio.wait_for(self.left(), seconds)
        except TimeoutError:
            return True
        return False

    async def left(self) -> None:
        """Wait until the client has left or the server stops."""
        message: Message = {"type": "http.request"}
        while message["type"] != "http.disconnect":
            message = await self._receive()

    async def finish(self, data: bytes = b"") -> None:
        """Put the last bytes on the connection and end it in an orderly way."""
        self._conclude(self._entry)
        self._transport.write(data)
        self._transport.close()
        await self.left()

    async def reset(self) -> None:
        """End the connection with a TCP reset."""
        self._conclude(self._entry)
        raw: socket.socket = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        self._transport.abort()
        await self.left()

"""
One client's connection: requests are read by h11, and answers may break HTTP.

A web server would not do here: it exists to prevent half answers, bytes in drips and TCP resets.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

from airflow_provider_comms.simulator.responses import Response, json_response

_MAX_HEAD_BYTES = 1 << 20
_READ_BYTES = 1 << 16
_NO_LINGER = struct.pack("ii", 1, 0)


class Request:
    """One request: its method, decoded path, parameters (of several by one name, the last) and headers."""

    def __init__(self, head: h11.Request) -> None:
        target = urlsplit(head.target.decode("latin-1"))
        self.method = head.method.decode("latin-1")
        self.path = unquote(target.path)
        self.query = dict(parse_qsl(target.query, keep_blank_values=True))
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        #: Empty until :meth:`Connection.read_body` has read it.
        self.body = b""


class Connection:
    """Reads requests and sends answers, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
        self._head_only = False
        #: Called when a request is over, right before the client can know.
        self.on_end: Callable[[], None] = lambda: None

    async def serve(self, respond: Callable[[Connection, Request], Awaitable[None]]) -> None:
        """Answer requests until either side ends the connection."""
        try:
            while (request := await self._next_request()) is not None:
                await respond(self, request)
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    break
                self._http.start_next_cycle()
            await self._flush_and_close()
        except h11.RemoteProtocolError as error:
            await self._refuse(error)
        except ConnectionError:
            pass  # The client has left: nobody is there to be told.
        finally:
            self._writer.transport.abort()

    async def _next_request(self) -> Request | None:
        event = await self._next_event()
        if not isinstance(event, h11.Request):
            return None
        self._head_only = event.method == b"HEAD"
        return Request(event)

    async def _next_event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_READ_BYTES))
        return event

    async def read_body(self, request: Request) -> None:
        """Read the body of the request under way."""
        pieces: list[bytes] = []
        while isinstance(event := await self._next_event(), h11.Data):
            pieces.append(event.data)
        request.body = b"".join(pieces)

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            with suppress(ConnectionError):
                await self.send(json_response(error.error_status_hint, {"error": str(error)}))
                await self._flush_and_close()

    async def send(self, response: Response) -> None:
        """Send an answer the way HTTP wants it."""
        headers = {"Date": formatdate(usegmt=True), "Content-Length": str(len(response.body)), **response.headers}
        data = self._http.send(h11.Response(status_code=response.status, headers=list(headers.items()))) or b""
        if not self._head_only:
            data += self._http.send(h11.Data(data=response.body)) or b""
        self._http.send(h11.EndOfMessage())
        self.on_end()
        self._writer.write(data)
        await self._writer.drain()

    def head(self, response: Response) -> bytes:
        """The status line and headers of an answer as they go over the wire; the connection ends after it."""
        headers = {"Content-Length": str(len(response.body)), **response.headers, "Connection": "close"}
        lines = [f"HTTP/1.1 {response.status} Simulated", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def write(self, data: bytes) -> None:
        """Put bytes on the connection as they are."""
        self._writer.write(data)

    async def pause(self, seconds: float) -> None:
        """Wait; a ConnectionError as soon as the client leaves."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.left(), seconds)

    async def left(self) -> None:
        """Wait until the client has left, and raise a ConnectionError then."""
        while data := await self._reader.read(_READ_BYTES):
            self._http.receive_data(data)
        raise ConnectionAbortedError

    async def finish(self, data: bytes = b"") -> None:
        """Put the last bytes on the connection and end it in an orderly way."""
        self.on_end()
        self._writer.write(data)
        await self._flush_and_close()
        raise ConnectionAbortedError

    async def _flush_and_close(self) -> None:
        await self._writer.drain()
        self._writer.close()
        await self._writer.wait_closed()

    def reset(self) -> None:
        """End the connection with a TCP reset, and raise a ConnectionError, as with a client that has left."""
        self.on_end()
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        raise ConnectionResetError

"""
A Comms API on loopback in the same event loop, which can do anything: the simulator keeps to what Twilio documents.

It knows operations by id and asks the test's world how to answer each request.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

HANG = object()
RESET = object()


@dataclass(frozen=True)
class Asked:
    """A request: an operation's id or, for a list, None; its query, and the password it came with."""

    operation_id: str | None
    query: dict[str, str]
    authorization: str


@dataclass(frozen=True)
class Told:
    """A response: a status, a body that is sent as JSON unless it is bytes, and headers; after some seconds."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0

    def encoded(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        lines = [f"HTTP/1.1 {self.status} Told", f"Content-Length: {len(body)}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def serving(answer: Callable[[Asked], Any]) -> AsyncIterator[str]:
    """
    Serve on loopback; give the base URL.

    :param answer: what to do with a request: a `Told`, `HANG` or `RESET`.
    """
    talks: set[asyncio.Task[Any]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        try:
            while head := await _head(reader):
                told = answer(_asked(head))
                if told is HANG:
                    await asyncio.Event().wait()
                if told is RESET:
                    writer.transport.abort()
                    return
                await asyncio.sleep(told.after)
                writer.write(told.encoded())
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            talks.discard(asyncio.current_task())

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None


def _asked(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    url = urlsplit(first.split(" ")[1])
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    *_, last = url.path.split("/")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    auth = next((line for line in lines if line.lower().startswith("authorization")), "")
    assert headers
    return Asked(None if last == "Operations" else last, query, auth)

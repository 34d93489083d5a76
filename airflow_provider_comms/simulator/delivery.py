"""How an answer reaches the client: as it is, or the way a fault spoils it."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_comms.simulator.responses import Response, error, portal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_comms.simulator.connection import Connection
    from airflow_provider_comms.simulator.faults import Fault

    Make = Callable[..., Response]


#: Time for what was written to arrive before a reset would wipe it out, in seconds.
_ARRIVAL = 0.02
_GZIP, _MEGABYTE = 31, 1 << 20


async def deliver(fault: Fault | None, connection: Connection, make: Make) -> None:
    """
    Answer a request, the way a fault wants it if there is one.

    :param make: makes the answer when it is needed: the normal one, or of what is given instead.
    """
    if fault is None:
        await connection.send(make())
    else:
        await _DELIVERIES[fault.kind](fault, connection, make)


async def _status(fault: Fault, connection: Connection, make: Make) -> None:
    await connection.send(make(error(fault.status, fault.retry_headers())))


async def _html(_fault: Fault, connection: Connection, make: Make) -> None:
    await connection.send(make(portal()))


async def _redirect(fault: Fault, connection: Connection, make: Make) -> None:
    await connection.send(make(Response(fault.status, b"", {"Location": fault.location})))


async def _raw(fault: Fault, connection: Connection, make: Make) -> None:
    response = make(Response(fault.status, fault.body_base64 or fault.body, dict(fault.headers)))
    await connection.finish(connection.head(response) + response.body)


async def _slow(fault: Fault, connection: Connection, make: Make) -> None:
    await connection.pause(fault.seconds)
    await connection.send(make())


async def _hang(_fault: Fault, connection: Connection, _make: Make) -> None:
    await connection.left()


async def _drip_headers(fault: Fault, connection: Connection, make: Make) -> None:
    response = make()
    await _drip(connection, connection.head(response) + response.body, fault.interval)


async def _drip_body(fault: Fault, connection: Connection, make: Make) -> None:
    response = make()
    connection.write(connection.head(response))
    await _drip(connection, response.body, fault.interval)


async def _drip(connection: Connection, data: bytes, interval: float) -> None:
    for byte in data:
        connection.write(bytes([byte]))
        await connection.pause(interval)
    await connection.finish()


async def _reset(_fault: Fault, connection: Connection, _make: Make) -> None:
    connection.reset()


async def _reset_body(_fault: Fault, connection: Connection, make: Make) -> None:
    response = make()
    connection.write(connection.head(response) + _half(response))
    await connection.pause(_ARRIVAL)
    connection.reset()


async def _truncated(_fault: Fault, connection: Connection, make: Make) -> None:
    response = make()
    await connection.finish(connection.head(response) + _half(response))


async def _cut_json(_fault: Fault, connection: Connection, make: Make) -> None:
    response = make()
    await connection.send(replace(response, body=_half(response)))


async def _gzip(fault: Fault, connection: Connection, make: Make) -> None:
    response = make()
    data = await asyncio.to_thread(_compress, response.body, fault.padding, fault.layers)
    coding = {"Content-Encoding": ", ".join(["gzip"] * fault.layers)}
    await connection.send(replace(response, body=data, headers=response.headers | coding))


def _compress(body: bytes, padding: int, layers: int) -> bytes:
    packer, spaces = zlib.compressobj(wbits=_GZIP), b" " * _MEGABYTE
    pieces = [packer.compress(spaces[: padding - begin]) for begin in range(0, padding, _MEGABYTE)]
    data = b"".join([*pieces, packer.compress(body), packer.flush()])
    for _ in range(layers - 1):
        data = gzip.compress(data)
    return data


def _half(response: Response) -> bytes:
    return response.body[: len(response.body) // 2]


_DELIVERIES: dict[str, Callable[[Fault, Connection, Make], Awaitable[None]]] = {
    "status": _status,
    "slow": _slow,
    "hang": _hang,
    "drip_headers": _drip_headers,
    "drip_body": _drip_body,
    "reset": _reset,
    "reset_body": _reset_body,
    "truncated": _truncated,
    "cut_json": _cut_json,
    "gzip": _gzip,
    "html": _html,
    "raw": _raw,
    "redirect": _redirect,
}

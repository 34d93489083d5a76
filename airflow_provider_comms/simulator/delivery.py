"""How an answer reaches the client: as it is, or the way a fault spoils it."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

from airflow_provider_comms.simulator.connection import Connection
from airflow_provider_comms.simulator.faults import Fault
from airflow_provider_comms.simulator.responses import Response, error, portal

#: Time for what was written to arrive before a reset would wipe it out, in seconds.
_ARRIVAL = 0.02
_GZIP, _MEGABYTE = 31, 1 << 20


async def deliver(fault: Fault | None, connection: Connection, make: Callable[..., Response]) -> None:
    """
    Answer a request, the way a fault wants it if there is one.

    :param make: makes the answer when it is needed: the normal one, or of what is given instead.
    """
    if fault is None:
        await connection.send(make())
        return
    match fault.kind:
        case "hang":
            await connection.left()
        case "reset":
            connection.reset()
        case "slow":
            await connection.pause(fault.seconds)
    await _spoil(fault, connection, make(_instead(fault)))


def _instead(fault: Fault) -> Response | None:
    match fault.kind:
        case "status":
            return error(fault.status, fault.retry_headers())
        case "html":
            return portal()
        case "redirect":
            return Response(fault.status, headers={"Location": fault.location})
        case "raw":
            return Response(fault.status, fault.body_base64 or fault.body, dict(fault.headers))
    return None


async def _spoil(fault: Fault, connection: Connection, response: Response) -> None:
    head, half = connection.head(response), response.body[: len(response.body) // 2]
    match fault.kind:
        case "raw":
            await connection.finish(head + response.body)
        case "truncated":
            await connection.finish(head + half)
        case "reset_body":
            connection.write(head + half)
            await connection.pause(_ARRIVAL)
            connection.reset()
        case "drip_headers":
            await _drip(connection, head + response.body, fault.interval)
        case "drip_body":
            connection.write(head)
            await _drip(connection, response.body, fault.interval)
        case "cut_json":
            await connection.send(replace(response, body=half))
        case "gzip":
            await connection.send(await asyncio.to_thread(_compressed, response, fault.padding, fault.layers))
        case _:
            await connection.send(response)


async def _drip(connection: Connection, data: bytes, interval: float) -> None:
    for byte in data:
        connection.write(bytes([byte]))
        await connection.pause(interval)
    await connection.finish()


def _compressed(response: Response, padding: int, layers: int) -> Response:
    packer, spaces = zlib.compressobj(wbits=_GZIP), b" " * _MEGABYTE
    pieces = [packer.compress(spaces[: padding - begin]) for begin in range(0, padding, _MEGABYTE)]
    data = b"".join([*pieces, packer.compress(response.body), packer.flush()])
    for _ in range(layers - 1):
        data = gzip.compress(data)
    coding = {"Content-Encoding": ", ".join(["gzip"] * layers)}
    return replace(response, body=data, headers=response.headers | coding)

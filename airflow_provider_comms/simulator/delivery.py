"""How an answer reaches the client: as it is, or the way a fault spoils it."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.responses import Response

from airflow_provider_comms.simulator.answers import error, portal

if TYPE_CHECKING:
    from airflow_provider_comms.simulator.exchange import Exchange
    from airflow_provider_comms.simulator.faults import Fault

Make = Callable[[], Response]
#: Time for what was written to arrive before a reset would wipe it out, in seconds.
_ARRIVAL = 0.02
_GZIP, _MEGABYTE = 31, 1 << 20


async def deliver(fault: Fault | None, exchange: Exchange, make: Make) -> None:
    """
    Answer a request, the way a fault wants it if there is one.

    :param make: makes the normal answer; called at the moment it is needed.
    """
    if fault is None:
        await exchange.answer(make())
    else:
        await _DELIVERIES[str(fault.kind)](fault, exchange, make)


async def _status(fault: Fault, exchange: Exchange, _make: Make) -> None:
    await exchange.answer(error(fault.status or 500, fault.retry_headers()))


async def _html(_fault: Fault, exchange: Exchange, _make: Make) -> None:
    await exchange.answer(portal())


async def _redirect(fault: Fault, exchange: Exchange, _make: Make) -> None:
    await exchange.answer(Response(status_code=fault.status or 307, headers={"Location": fault.location}))


async def _raw(fault: Fault, exchange: Exchange, _make: Make) -> None:
    response = Response(fault.body, fault.status or 200, fault.headers)
    await exchange.finish(exchange.head(response) + bytes(response.body))


async def _slow(fault: Fault, exchange: Exchange, make: Make) -> None:
    if await exchange.pause(fault.seconds):
        await exchange.answer(make())


async def _hang(_fault: Fault, exchange: Exchange, _make: Make) -> None:
    await exchange.left()


async def _drip_headers(fault: Fault, exchange: Exchange, make: Make) -> None:
    response = make()
    await _drip(exchange, exchange.head(response) + bytes(response.body), fault.interval)


async def _drip_body(fault: Fault, exchange: Exchange, make: Make) -> None:
    response = make()
    exchange.write(exchange.head(response))
    await _drip(exchange, bytes(response.body), fault.interval)


async def _drip(exchange: Exchange, data: bytes, interval: float) -> None:
    for byte in data:
        exchange.write(bytes([byte]))
        if not await exchange.pause(interval):
            return
    await exchange.finish()


async def _reset(_fault: Fault, exchange: Exchange, _make: Make) -> None:
    await exchange.reset()


async def _reset_body(_fault: Fault, exchange: Exchange, make: Make) -> None:
    response = make()
    exchange.write(exchange.head(response) + _half(response))
    await exchange.pause(_ARRIVAL)
    await exchange.reset()


async def _truncated(_fault: Fault, exchange: Exchange, make: Make) -> None:
    response = make()
    await exchange.finish(exchange.head(response) + _half(response))


async def _cut_json(_fault: Fault, exchange: Exchange, make: Make) -> None:
    response = make()
    await exchange.answer(Response(_half(response), response.status_code, media_type=response.media_type))


async def _gzip(fault: Fault, exchange: Exchange, make: Make) -> None:
    response = make()
    data = await asyncio.to_thread(_compressed, bytes(response.body), fault.padding, fault.layers)
    headers = {"Content-Encoding": ", ".join(["gzip"] * fault.layers)}
    await exchange.answer(Response(data, response.status_code, headers, media_type=response.media_type))


def _compressed(body: bytes, padding: int, layers: int) -> bytes:
    packer, spaces = zlib.compressobj(wbits=_GZIP), b" " * _MEGABYTE
    pieces = [packer.compress(spaces[: padding - begin]) for begin in range(0, padding, _MEGABYTE)]
    data = b"".join([*pieces, packer.compress(body), packer.flush()])
    for _ in range(layers - 1):
        data = gzip.compress(data)
    return data


def _half(response: Response) -> bytes:
    body = bytes(response.body)
    return body[: len(body) // 2]


_DELIVERIES: dict[str, Callable[[Fault, Exchange, Make], Awaitable[None]]] = {
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

"""
How many ends Airflow is handed at once.

A triggerer's supervisor stores one event after the other, each in a transaction of some 10 ms, and sends no heartbeat
until it has stored all that it was handed. Where thousands of waits end in one poll it would be taken for dead, and
another triggerer would take over the waits that it still has. So ends are handed over in batches.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

BATCH = 500
"""Ends that are handed over at once. Storing them may take 60 ms each before a heartbeat is 30 s late."""
PAUSE = 5.0
"""Seconds from a batch to the next one at least: in so many Airflow stores a batch, if its database is quick."""
MAX_WAIT = 60.0
"""Seconds after which a supervisor that does not answer is not waited for any more."""


class HandOver:
    """
    Lets so many ends pass at once, and the next ones when the supervisor has had time for them.

    :param batch: how many.
    :param pause: seconds from a batch to the next one at least.
    """

    def __init__(self, batch: int = BATCH, pause: float = PAUSE) -> None:
        self._batch = batch
        self._pause = pause
        self._turns = asyncio.Lock()
        self._left = 0
        self._began = -math.inf

    async def turn(self, ask_supervisor: Callable[[], Awaitable[object]]) -> None:
        """
        Wait until an end may be handed over; first come, first served.

        :param ask_supervisor: asks it for anything. It answers when it has stored what it was handed before.
        """
        async with self._turns:
            if not self._left:
                await self._begin_batch(ask_supervisor)
            self._left -= 1

    async def _begin_batch(self, ask_supervisor: Callable[[], Awaitable[object]]) -> None:
        loop = asyncio.get_running_loop()
        if (early := self._began + self._pause - loop.time()) > 0:
            await asyncio.sleep(early)
            await _answered(ask_supervisor)
        self._began, self._left = loop.time(), self._batch


async def _answered(ask_supervisor: Callable[[], Awaitable[object]]) -> None:
    try:
        async with asyncio.timeout(MAX_WAIT):
            await ask_supervisor()
    except Exception:
        # Whatever it answers, it has answered; and no end is held back for good.
        log.debug("The supervisor's answer was an error.", exc_info=True)


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, HandOver] = WeakKeyDictionary()


def hand_over() -> HandOver:
    """Return the one of the running loop: all triggers of a triggerer share a supervisor."""
    return _of_loop.setdefault(asyncio.get_running_loop(), HandOver())

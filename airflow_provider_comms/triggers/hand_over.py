"""
How many ends Airflow is handed at once.

A triggerer's supervisor stores one event after the other, each in a transaction of some 10 ms, and sends no heartbeat
until it has stored all that it was handed. Where thousands of waits end in one poll it would be taken for dead, and
another triggerer would take over the waits that it still has. So a bounded number of ends is on its way.

An end has arrived when the triggerer has let go of the task in which its trigger ran: it does so when it hands the
event to the supervisor, and hands over nothing more until the supervisor has stored what it was handed before.
"""

from __future__ import annotations

import asyncio
from functools import partial
from weakref import WeakKeyDictionary, finalize

MAX_UNDER_WAY = 500
"""Ends: storing them may take 60 ms each before a heartbeat is 30 s late."""
PAUSE = 5.0
"""Seconds for which an end counts at least: in so many Airflow stores that many, if its database is quick."""
MAX_WAIT = 60.0
"""Seconds without any arrival after which an end is handed over all the same: none is held back for good."""


class HandOver:
    """
    Bounds how many ends are on their way to Airflow; first come, first served.

    :param max_under_way: how many.
    :param pause: seconds for which an end counts at least, even if it has arrived.
    :param max_wait: seconds without any arrival after which an end passes all the same.
    """

    def __init__(self, max_under_way: int = MAX_UNDER_WAY, pause: float = PAUSE, max_wait: float = MAX_WAIT) -> None:
        self._pause = pause
        self._max_wait = max_wait
        self._room = asyncio.Semaphore(max_under_way)
        self._turns = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    async def turn(self) -> None:
        """Wait until the running task may hand over its end; it has arrived when the task is gone."""
        async with self._turns:
            try:
                async with asyncio.timeout(self._max_wait):
                    await self._room.acquire()
            except TimeoutError:
                return
        counts_until = self._loop.time() + self._pause
        finalize(asyncio.current_task(), self._arrived, counts_until).atexit = False

    def _arrived(self, counts_until: float) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(partial(self._loop.call_at, counts_until, self._room.release))


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, HandOver] = WeakKeyDictionary()


def hand_over() -> HandOver:
    """Return the one of the running loop: all triggers of a triggerer share a supervisor."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loop:
        _of_loop[loop] = HandOver()
    return _of_loop[loop]

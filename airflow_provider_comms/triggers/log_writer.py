"""
A trigger's log, written beside the event loop.

In Airflow 3 a trigger's line goes through a socket to the triggerer's supervisor, which does not read while it writes
events down; once the socket is full, logging on the loop blocks, and all triggers with it. (logging's own
QueueHandler would not do: Airflow finds a line's task by the context in which it is written.)
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from concurrent.futures import Future

    from airflow_provider_comms.waiting.progress_log import Log

MAX_FLUSH = 10.0
"""Seconds that a trigger waits for its lines to be written; one that is ended is not held up for longer."""

# One thread for all triggers of a loop, so that lines keep their order. By loop: a fork has none of its parent's.
_writers: WeakKeyDictionary[asyncio.AbstractEventLoop, ThreadPoolExecutor] = WeakKeyDictionary()


def _writer() -> ThreadPoolExecutor:
    loop = asyncio.get_running_loop()
    if loop not in _writers:
        _writers[loop] = ThreadPoolExecutor(max_workers=1, thread_name_prefix="comms-log")
    return _writers[loop]


class LineWriter:
    """
    Writes the lines of one trigger. Use it as an asynchronous context manager: at its end the lines are written.

    :param log: the trigger's own logger; Airflow finds the task by the context in which it is called.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._last: Future[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.written()

    def log(self, level: int, message: str, *args: Any) -> None:
        """Have a line written soon, in the order in which they were given."""
        self._last = _writer().submit(copy_context().run, self._log.log, level, message, *args)

    async def written(self) -> None:
        """Wait until all lines are written: Airflow closes the log when the trigger has ended, however it ended."""
        if self._last is not None:
            await asyncio.wait([asyncio.wrap_future(self._last)], timeout=MAX_FLUSH)

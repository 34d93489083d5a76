"""
A trigger's log, written beside the event loop.

In Airflow 3 a trigger's line goes through a socket to the triggerer's supervisor, which does not read while it writes
events down; once the socket is full, whoever logs on the loop stands still, and all triggers with it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from concurrent.futures import Future

# One thread for all, so that lines keep their order.
_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="comms-log")


class Log(Protocol):
    """What all loggers have in common: Python's, structlog's and Airflow's own."""

    def log(self, level: int, event: str, /, *args: Any) -> Any:
        """Write one line."""


class LineWriter:
    """
    Writes the lines of one trigger.

    :param log: the trigger's own logger; Airflow finds the task by the context in which it is called.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._last: Future[None] | None = None

    def log(self, level: int, message: str, *args: Any) -> None:
        """Have a line written soon, in the order in which they were given."""
        self._last = _writer.submit(copy_context().run, self._log.log, level, message, *args)

    async def written(self) -> None:
        """Wait until all lines are written: Airflow closes the log when the trigger has ended."""
        if self._last is not None:
            await asyncio.gather(asyncio.wrap_future(self._last), return_exceptions=True)

"""One event loop in a thread of its own, for code that blocks."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

T = TypeVar("T")

_loops: dict[int, asyncio.AbstractEventLoop] = {}


def thread_loop() -> asyncio.AbstractEventLoop:
    """
    Return the loop of this process; it starts at the first call.

    A fork has none of its parent's threads, so each process has its own. The thread is a daemon: it holds no
    process up.
    """
    pid = os.getpid()
    if (running := _loops.get(pid)) is not None:
        return running
    fresh = asyncio.new_event_loop()
    loop = _loops.setdefault(pid, fresh)
    if loop is fresh:
        threading.Thread(target=loop.run_forever, name="comms-client", daemon=True).start()
    else:
        fresh.close()
    return loop


def runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop is this process's: after a fork, the child has a copy of the parent's, which does not run."""
    return _loops.get(os.getpid()) is loop


def start(coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> Future[T]:
    """Start a coroutine on the loop, and do not wait for it."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop)


def run(coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> T:
    """
    Run a coroutine on the loop and block until it is done.

    Whatever interrupts the wait (a signal, Airflow's execution_timeout) cancels the coroutine.
    """
    future = start(coroutine, loop)
    try:
        return future.result()
    finally:
        future.cancel()

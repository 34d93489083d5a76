"""A trigger's lines are written beside the loop: in their order, in the context of the task that they belong to."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import os
import signal
import threading

import pytest

from airflow_provider_comms.triggers.log_writer import LineWriter

task = contextvars.ContextVar("task", default="none")


class Slow:
    """A log whose other end does not read until it is let."""

    def __init__(self):
        self.reads = threading.Event()
        self.lines = []

    def log(self, level, message, *args):
        self.reads.wait(10)
        self.lines.append((task.get(), message % args))


def test_a_log_that_does_not_take_lines_holds_nobody_up_and_loses_none():
    slow = Slow()

    async def two_tasks():
        async def write(name):
            task.set(name)
            writer = LineWriter(slow)
            for number in range(3):
                writer.log(logging.INFO, "line %s", number)
            return writer

        writers = [await asyncio.create_task(write(name)) for name in ("first", "second")]
        assert slow.lines == []
        slow.reads.set()
        for writer in writers:
            await writer.written()

    asyncio.run(two_tasks())

    assert slow.lines == [(name, f"line {number}") for name in ("first", "second") for number in range(3)]


def test_a_line_that_cannot_be_written_is_no_reason_to_fail():
    class Broken:
        def log(self, level, message, *args):
            raise BrokenPipeError

    async def write():
        writer = LineWriter(Broken())
        writer.log(logging.INFO, "line")
        await writer.written()
        await LineWriter(Broken()).written()

    asyncio.run(write())


def write_one(log):
    async def write():
        async with LineWriter(log) as lines:
            lines.log(logging.INFO, "line")

    asyncio.run(write())


@pytest.mark.parametrize("error", [asyncio.CancelledError, ZeroDivisionError])
def test_lines_are_written_however_the_trigger_ends(error):
    slow = Slow()

    async def write():
        threading.Timer(0.1, slow.reads.set).start()
        async with LineWriter(slow) as lines:
            lines.log(logging.INFO, "last words")
            raise error

    with pytest.raises(error):
        asyncio.run(write())
    assert [text for _, text in slow.lines] == ["last words"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_that_was_forked_writes_its_lines_too():
    slow = Slow()
    slow.reads.set()
    write_one(slow)
    child = os.fork()
    if not child:
        signal.alarm(5)
        write_one(slow)
        os._exit(len(slow.lines))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2


def test_no_thread_is_left_when_the_loops_are_gone():
    others = set(threading.enumerate())  # Of tests before this one.
    slow = Slow()
    slow.reads.set()
    for _ in range(5):
        write_one(slow)
    gc.collect()
    for _ in range(100):
        if not (
            left := [one for one in threading.enumerate() if one.name.startswith("comms-log") and one not in others]
        ):
            break
        left[0].join(0.1)

    assert not left

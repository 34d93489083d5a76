"""A trigger's lines are written beside the loop: in their order, in the context of the task that they belong to."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading

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

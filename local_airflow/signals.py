"""The ways in which a demo is made to end: by a signal, by its deadline, or because another one runs."""

from __future__ import annotations

import fcntl
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_airflow.failures import DemoFailure, TookTooLong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType


STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENDING = (*STOPPING, signal.SIGALRM)


class Interrupted(BaseException):
    """
    The user, or the system, wants the demo to stop.

    :param number: the signal that said so
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def obey_signals() -> None:
    """Turn Ctrl-C, SIGTERM and a closed terminal into :class:`Interrupted`, so that everything is stopped."""
    for number in STOPPING:
        signal.signal(number, _interrupt)


@contextmanager
def deadline(seconds: int) -> Iterator[None]:
    """Raise :class:`TookTooLong` within the block when it takes longer than this."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise TookTooLong(f"The demo took longer than {seconds} s and was stopped.")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back until the end of the block, so that nothing in it is done by half."""
    pending: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: pending.append(number)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for came in pending:
            signal.raise_signal(came)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for one demo at a time; two would delete each other's database."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoFailure("Another demo runs in this folder; stop it first, with Ctrl-C.") from error
        yield


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)

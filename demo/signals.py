"""How a demo is made to end: by a signal or by its deadline; and only one runs in a folder."""

from __future__ import annotations

import fcntl
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_airflow.errors import LocalAirflowError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType


class Interrupted(BaseException):
    """
    The user, or the system, asked the demo to stop.

    :param number: the signal
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def install_signal_handlers() -> None:
    """Turn Ctrl-C, SIGTERM and a closed terminal into :class:`Interrupted`, so that everything is stopped."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


@contextmanager
def deadline(seconds: int) -> Iterator[None]:
    """Raise :class:`WaitTimeoutError` within the block when it takes longer than this."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise WaitTimeoutError(f"The demo took longer than {seconds} s and was stopped.")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


@contextmanager
def single_instance(folder: Path) -> Iterator[None]:
    """Hold the folder for one demo at a time: two would delete each other's database."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalAirflowError("Another demo runs in this folder. Stop it first, with Ctrl-C.") from error
        yield


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)

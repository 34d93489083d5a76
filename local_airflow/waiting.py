"""Waiting for something that happens elsewhere, with an end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from local_airflow.failures import TookTooLong

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], *, what: str, seconds: float, every: float = 0.5) -> T:
    """
    Call ``look`` until it returns something true.

    :param look: returns what is waited for, or something false while it is not there yet
    :param what: names it in the message
    :param seconds: how long it may take
    :param every: seconds between two looks
    :raises TookTooLong: when it has not come in time
    """
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TookTooLong(f"Waited {seconds:.0f} s for {what}: it has not come.")
        time.sleep(every)
    return found

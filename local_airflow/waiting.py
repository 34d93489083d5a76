"""Waiting for something that happens elsewhere, with a time limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from local_airflow.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def wait_for(check: Callable[[], T | None], *, what: str, seconds: float, every: float = 0.5) -> T:
    """
    Call ``check`` until it returns something true, and return that.

    :param check: returns what is waited for, or something false while it is not there yet
    :param what: names it in the error
    :param seconds: how long it may take
    :param every: seconds between two calls
    :raises WaitTimeoutError: it did not happen in time
    """
    end = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > end:
            raise WaitTimeoutError(f"Timed out after {seconds:.0f} s waiting for {what}.")
        time.sleep(every)
    return found

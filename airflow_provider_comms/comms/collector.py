"""The garbage collector, kept out of a short stretch of code."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def collector_paused() -> Iterator[None]:
    """
    Let no collection start in code that makes thousands of objects, holds no cycle and does not wait.

    Each collection on the way would go through them again and, every so often, through the whole heap of the
    process: in a task or a triggerer all of Airflow, which takes 100 ms.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

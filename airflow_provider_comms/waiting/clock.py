"""A clock for waits: it tells the time of day, and nobody who sets the machine's clock makes it jump."""

from __future__ import annotations

from time import monotonic, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SteadyClock:
    """
    Seconds since the epoch: as the machine had them when this was made, and steady from then on.

    :param wall: the machine's time of day, which may be set.
    :param steady: a clock that never jumps.
    """

    def __init__(self, wall: Callable[[], float] = time, steady: Callable[[], float] = monotonic) -> None:
        self._steady = steady
        self._ahead = wall() - steady()

    def __call__(self) -> float:
        """Return the time."""
        return self._steady() + self._ahead

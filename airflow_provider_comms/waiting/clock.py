"""A clock that setting the machine's clock does not move: a deadline must not come early, or never."""

from __future__ import annotations

from time import monotonic, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SteadyClock:
    """
    Seconds since the epoch, by the machine's clock at the start and monotonic from then on.

    :param wall: the machine's clock, which may be set.
    :param steady: a monotonic clock.
    """

    def __init__(self, wall: Callable[[], float] = time, steady: Callable[[], float] = monotonic) -> None:
        self._steady = steady
        self._ahead = wall() - steady()

    def __call__(self) -> float:
        """Return the time."""
        return self._steady() + self._ahead

"""The simulator's own clock: it runs with real time and can be moved forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from airflow_provider_comms.simulator.fields import FieldError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: About the year 6000: far off, and dates can still be written when an operation runs for decades after it.
LATEST_MS = 127_000_000_000_000
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(time: datetime, field: str) -> int:
    """Whole milliseconds since 1970 of an aware datetime, rounded down; an error names ``field``."""
    if time.tzinfo is None:
        raise FieldError(field, "must carry a time zone")
    return in_range((time - EPOCH) // _MILLISECOND, field)


def in_range(time_ms: int, field: str) -> int:
    """Return a time in milliseconds if the simulator can live in it; an error names ``field``."""
    if not 0 <= time_ms <= LATEST_MS:
        raise FieldError(field, "leads to a time before 1970 or after the year 5990")
    return time_ms


def iso(time_ms: int) -> str:
    """ISO 8601 string in UTC with milliseconds, as the API writes dates."""
    return f"{_iso_second(time_ms // 1000)}.{time_ms % 1000:03d}Z"


@lru_cache(maxsize=1024)
def _iso_second(second: int) -> str:
    """The text of a second; operations that stand side by side in a listing often share it."""
    return (EPOCH + timedelta(seconds=second)).isoformat()[:-6]


class Clock:
    """Milliseconds since 1970, from a time on or from the real one; if frozen, only :meth:`advance` moves it."""

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._start_ms = int(time.time() * 1000) if start is None else milliseconds(start, "start")
        self._begun = None if frozen else time.monotonic()

    def now_ms(self) -> int:
        """The time in milliseconds since 1970."""
        return self._start_ms + (0 if self._begun is None else int((time.monotonic() - self._begun) * 1000))

    def advance(self, seconds: float) -> None:
        """Move the clock forward by ``seconds``."""
        step_ms = round(seconds * 1000)
        in_range(self.now_ms() + step_ms, "seconds")
        self._start_ms += step_ms

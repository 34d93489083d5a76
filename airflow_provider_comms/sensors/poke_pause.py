"""
The pause between two pokes: Airflow has no public way to choose it poke by poke.

`BaseSensorOperator` calls its own `_get_next_poke_interval` after each poke. Were it renamed, the sensor would poke
every `poke_interval` seconds: less polite, not wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_comms.waiting.wait import Wait


class PausesAsTheWaitSays:
    """Stands before Airflow's base class among the bases of a sensor."""

    exponential_backoff: bool
    _current_wait: Wait | None = None

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        """Return the seconds that the trigger would wait too: pace, Retry-After and deadline count here as well."""
        interval: float = super()._get_next_poke_interval(*args, **kwargs)  # type: ignore[misc]
        if self._current_wait is None:
            return interval
        now = self._current_wait.now()
        ours = self._current_wait.delay(now)
        return min(max(interval, ours), self._current_wait.remaining(now)) if self.exponential_backoff else ours

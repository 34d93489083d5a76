"""The trial of killed sends, at a few steps: the benchmark takes fifty."""

from __future__ import annotations

from benchmarks.killed_sends import kill_and_retry
from benchmarks.measure import apart
from benchmarks.simulated import simulated_api


def test_nobody_is_sent_it_twice_or_forgotten_when_the_process_is_killed():
    with simulated_api() as api:
        counted = apart(kill_and_retry, url=api.url, kills=4, has_store=True, lag=0.0)

    assert counted["killed"] >= 3
    assert counted["sent it twice"] == counted["forgotten in silence"] == 0

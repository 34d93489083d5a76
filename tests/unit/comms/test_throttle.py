"""The throttle that one 429 blocks for everybody; on a clock that only the test moves."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.http.throttle import (
    GAP_SHRINK,
    LAST_CHANCE_GAP,
    MAX_GAP,
    MIN_GAP,
    PROBE_CHECK,
    PROBE_TIMEOUT,
    Throttle,
    shared_throttle,
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return Throttle(clock=clock)


def test_a_gate_that_was_never_shut_holds_nobody(throttle):
    assert [throttle.try_acquire() for _ in range(1000)] == [0.0] * 1000


def test_a_shut_gate_holds_everybody_for_as_long_as_was_wished(throttle, clock):
    throttle.block(clock.now, 3)
    assert [throttle.try_acquire(), throttle.try_acquire()] == [3, 3]
    clock.advance(2)
    assert throttle.try_acquire() == 1
    clock.advance(1)
    assert throttle.try_acquire() == 0


def test_after_a_block_one_probe_goes_ahead_and_then_callers_one_by_one(throttle, clock):
    throttle.block(clock.now, 1)
    clock.advance(1)
    assert throttle.try_acquire() == 0
    assert [throttle.try_acquire(), throttle.try_acquire()] == [PROBE_CHECK, PROBE_CHECK]
    clock.advance(1)
    assert throttle.try_acquire() == PROBE_CHECK
    throttle.record_success(clock.now - 1)
    gap = throttle.try_acquire()
    assert 0 < gap <= MIN_GAP
    clock.advance(gap)
    assert throttle.try_acquire() == 0
    assert throttle.try_acquire() == pytest.approx(gap)


def test_a_probe_that_is_refused_blocks_again_and_one_that_is_lost_is_followed_by_another(throttle, clock):
    throttle.block(clock.now, 1)
    clock.advance(1)
    assert throttle.try_acquire() == 0
    throttle.block(clock.now, 7)
    assert throttle.try_acquire() == 7
    clock.advance(7)
    assert throttle.try_acquire() == 0
    clock.advance(PROBE_TIMEOUT)
    assert throttle.try_acquire() == 0
    assert throttle.try_acquire() == PROBE_CHECK


def test_a_success_of_a_request_that_was_sent_before_the_block_does_not_open_it(throttle, clock):
    sent_at = clock.now
    clock.advance(1)
    throttle.block(sent_at, 60)
    throttle.record_success(sent_at)
    assert throttle.try_acquire() == 60


def test_successes_from_before_a_block_do_not_keep_the_rest_from_following_the_probe(throttle, clock):
    sent_at = clock.now
    clock.advance(0.1)
    throttle.block(sent_at, 1)
    for _ in range(40):  # The others that were in flight with the refused one.
        throttle.record_success(sent_at)
    clock.advance(1)
    assert throttle.try_acquire() == 0
    throttle.record_success(clock.now)
    assert throttle.try_acquire() <= MIN_GAP


def test_a_last_chance_passes_a_block_but_only_one_in_a_second(throttle, clock):
    throttle.block(clock.now, 300)
    assert throttle.try_acquire(last_chance=True) == 0
    assert throttle.try_acquire(last_chance=True) == pytest.approx(LAST_CHANCE_GAP)
    assert throttle.try_acquire() == 300
    clock.advance(LAST_CHANCE_GAP)
    assert throttle.try_acquire(last_chance=True) == 0
    throttle.record_success(clock.now)
    assert throttle.try_acquire() == 299  # What the server said still counts for all others.


def test_a_longer_wish_prolongs_and_a_shorter_one_does_not_shorten(throttle, clock):
    throttle.block(clock.now, 5)
    throttle.block(clock.now, 1)
    assert throttle.try_acquire() == 5
    throttle.block(clock.now, 9)
    assert throttle.try_acquire() == 9


def refuse(throttle: Throttle, clock: Clock) -> None:
    """Another 429, to a request that left after the throttle was shut last."""
    clock.advance(100)
    throttle.block(clock.now, 0)


def gap_of(throttle: Throttle, clock: Clock) -> float:
    """Return the gap after a block and its probe; the probe's success has narrowed it by then."""
    clock.advance(1000)
    assert throttle.try_acquire() == 0
    throttle.record_success(clock.now)
    return throttle.try_acquire() / GAP_SHRINK


def test_each_further_refusal_doubles_the_gap_up_to_its_bound(clock):
    for refusals in range(12):
        throttle = Throttle(clock=clock)
        for _ in range(refusals + 1):
            refuse(throttle, clock)
        assert gap_of(throttle, clock) == pytest.approx(min(MAX_GAP, MIN_GAP * 2**refusals))


def test_refusals_of_requests_that_left_together_count_as_one(throttle, clock):
    sent_at = clock.now
    clock.advance(0.1)
    for _ in range(16):
        throttle.block(sent_at, 0)
    assert gap_of(throttle, clock) == pytest.approx(MIN_GAP)


def test_after_a_storm_the_gap_narrows_to_nothing(throttle, clock):
    for _ in range(10):
        refuse(throttle, clock)
    clock.advance(100)
    assert throttle.try_acquire() == 0
    for _ in range(40):
        throttle.record_success(clock.now)
    clock.advance(100)
    assert [throttle.try_acquire() for _ in range(100)] == [0.0] * 100


@given(st.lists(st.sampled_from(["refused", "passed", "asked"]), max_size=200), st.integers(1, 16))
def test_whatever_happens_the_gap_never_leaves_its_bounds(events, seconds):
    clock = Clock()
    throttle = Throttle(clock=clock)
    for event in events:
        if event == "refused":
            throttle.block(clock.now, seconds)
        elif event == "passed":
            throttle.record_success(clock.now)
        else:
            assert 0 <= throttle.try_acquire() <= max(seconds, MAX_GAP)
        clock.advance(0.3)


@pytest.mark.parametrize("pause", [0.01, 0.3, 3.0])
@pytest.mark.parametrize("callers", [1, 16, 64])
def test_a_server_that_refuses_everything_sees_a_bounded_number_of_requests(callers, pause, throttle, clock):
    """Each caller asks at every pause, for a minute; each request is refused with no wish."""
    sent = 0
    until = clock.now + 60
    while clock.now < until:
        for _ in range(callers):
            if throttle.try_acquire() == 0:
                sent += 1
                throttle.block(clock.now, 0)
        clock.advance(pause)
    # The gap doubles from 0.05 s: 7 requests to its widest, then one every 5 s; those of the first instant on top.
    assert sent <= 1 + 8 + 60 / MAX_GAP


def test_clients_of_one_connection_share_a_gate_and_others_do_not():
    throttle = shared_throttle("http://one.test", "AC1")
    assert shared_throttle("http://one.test", "AC1") is throttle
    assert shared_throttle("http://one.test", "AC2") is not throttle
    assert shared_throttle("http://two.test", "AC1") is not throttle


def test_threads_that_ask_first_at_the_same_time_get_the_same_gate():
    start = threading.Barrier(8)
    found = []

    def ask() -> None:
        start.wait()
        found.append(shared_throttle("http://race.test", "AC1"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_while_another_thread_is_in_the_gate_leaves_it_usable(clock):
    """The throttle's clock is what holds the other thread inside."""
    inside, leave = threading.Event(), threading.Event()
    throttle = shared_throttle("http://forked.test", "AC1")

    def hold() -> None:
        with throttle._lock:
            inside.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    child = os.fork()
    if not child:
        watchdog = threading.Timer(3, os._exit, (1,))
        watchdog.daemon = True
        watchdog.start()
        os._exit(0 if throttle.try_acquire() == 0 else 2)
    leave.set()
    holder.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

"""The gate that one 429 shuts for everybody; on a clock that only the test moves."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.http.throttle import FIRST_GAP, WIDEST_GAP, Throttle, shared_throttle


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
def gate(clock):
    return Throttle(clock=clock)


def test_a_gate_that_was_never_shut_holds_nobody(gate):
    assert [gate.delay() for _ in range(1000)] == [0.0] * 1000


def test_a_shut_gate_holds_everybody_for_as_long_as_was_wished(gate, clock):
    gate.shut(clock.now, 3)
    assert [gate.delay(), gate.delay()] == [3, 3]
    clock.advance(2)
    assert gate.delay() == 1
    clock.advance(1)
    assert gate.delay() == 0


def test_after_it_opens_callers_pass_one_by_one(gate, clock):
    gate.shut(clock.now, 1)
    clock.advance(1)
    assert gate.delay() == 0
    assert gate.delay() == pytest.approx(FIRST_GAP)
    clock.advance(FIRST_GAP)
    assert gate.delay() == 0


def test_a_longer_wish_prolongs_and_a_shorter_one_does_not_shorten(gate, clock):
    gate.shut(clock.now, 5)
    gate.shut(clock.now, 1)
    assert gate.delay() == 5
    gate.shut(clock.now, 9)
    assert gate.delay() == 9


def refuse(gate: Throttle, clock: Clock) -> None:
    """Another 429, to a request that left after the gate was shut last."""
    clock.advance(100)
    gate.shut(clock.now, 0)


def gap_of(gate: Throttle, clock: Clock) -> float:
    clock.advance(1000)
    assert gate.delay() == 0
    return gate.delay()


def test_each_further_refusal_doubles_the_gap_up_to_its_bound(gate, clock):
    gaps = []
    for _ in range(12):
        refuse(gate, clock)
        gaps.append(gap_of(gate, clock))
    doubled = [min(WIDEST_GAP, FIRST_GAP * 2**n) for n in range(12)]
    assert gaps == pytest.approx(doubled)


def test_refusals_of_requests_that_left_together_count_as_one(gate, clock):
    sent_at = clock.now
    clock.advance(0.1)
    for _ in range(16):
        gate.shut(sent_at, 0)
    assert gap_of(gate, clock) == pytest.approx(FIRST_GAP)


def test_after_a_storm_the_gap_narrows_to_nothing(gate, clock):
    for _ in range(10):
        refuse(gate, clock)
    for _ in range(40):
        gate.passed()
    clock.advance(100)
    assert [gate.delay() for _ in range(100)] == [0.0] * 100


@given(st.lists(st.sampled_from(["refused", "passed", "asked"]), max_size=200), st.integers(1, 16))
def test_whatever_happens_the_gap_never_leaves_its_bounds(events, seconds):
    clock = Clock()
    gate = Throttle(clock=clock)
    for event in events:
        if event == "refused":
            gate.shut(clock.now, seconds)
        elif event == "passed":
            gate.passed()
        else:
            assert 0 <= gate.delay() <= max(seconds, WIDEST_GAP)
        clock.advance(0.3)


@pytest.mark.parametrize("pause", [0.01, 0.3, 3.0])
@pytest.mark.parametrize("callers", [1, 16, 64])
def test_a_server_that_refuses_everything_sees_a_bounded_number_of_requests(callers, pause, gate, clock):
    """Each caller asks at every pause, for a minute; each request is refused with no wish."""
    sent = 0
    until = clock.now + 60
    while clock.now < until:
        for _ in range(callers):
            if gate.delay() == 0:
                sent += 1
                gate.shut(clock.now, 0)
        clock.advance(pause)
    # The gap doubles from 0.05 s: 7 requests to its widest, then one every 5 s; those of the first instant on top.
    assert sent <= 1 + 8 + 60 / WIDEST_GAP


def test_clients_of_one_connection_share_a_gate_and_others_do_not():
    gate = shared_throttle("http://one.test", "AC1")
    assert shared_throttle("http://one.test", "AC1") is gate
    assert shared_throttle("http://one.test", "AC2") is not gate
    assert shared_throttle("http://two.test", "AC1") is not gate


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
    """The gate's clock is what holds the other thread inside."""
    inside, leave = threading.Event(), threading.Event()
    gate = shared_throttle("http://forked.test", "AC1")

    def hold() -> None:
        with gate._lock:
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
        os._exit(0 if gate.delay() == 0 else 2)
    leave.set()
    holder.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

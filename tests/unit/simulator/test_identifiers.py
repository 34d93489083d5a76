"""Operation ids: the documented pattern, made from a creation time and random bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.simulator.identifiers import ID_PATTERN, make_id

times = st.integers(0, 2**48 - 1)
randomness = st.binary(min_size=10, max_size=10)


def test_an_id_as_the_ulid_specification_writes_it():
    assert make_id(1_469_922_850_259, bytes(range(10))) == "comms_operation_01arz3ndek000g40r40m30e209"


@given(times, randomness)
def test_ids_have_the_documented_pattern(created_ms, random):
    operation_id = make_id(created_ms, random)

    assert ID_PATTERN.fullmatch(operation_id)
    assert len(operation_id) == len("comms_operation_") + 26


@given(times, times, randomness, randomness)
def test_ids_sort_by_creation(one, other, some, more):
    first, second = sorted([one, other])
    assert first == second or make_id(first, some) < make_id(second, more)


@given(times, randomness, randomness)
def test_other_randomness_makes_another_id(created_ms, one, other):
    assert (make_id(created_ms, one) == make_id(created_ms, other)) == (one == other)

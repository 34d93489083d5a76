"""Operation ids: the documented pattern, made from a creation time and random bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.simulator.identifiers import ID_PATTERN, created_ms_of, make_ulid, read_id, write_id

times = st.integers(0, 2**48 - 1)
randomness = st.binary(min_size=10, max_size=10)


@given(times, randomness)
def test_ids_have_the_documented_pattern_and_read_back(created_ms, random):
    ulid = make_ulid(created_ms, random)
    operation_id = write_id(ulid)

    assert ID_PATTERN.fullmatch(operation_id)
    assert len(operation_id) == len("comms_operation_") + 26
    assert read_id(operation_id) == ulid
    assert created_ms_of(ulid) == created_ms


@given(times, times, randomness, randomness)
def test_ids_sort_by_creation(one, other, some, more):
    first, second = sorted([one, other])
    assert first == second or write_id(make_ulid(first, some)) < write_id(make_ulid(second, more))


@pytest.mark.parametrize(
    "operation_id",
    [
        "",
        "comms_operation_",
        "01h9krwprkeee8fzqspvwy6nq8",
        "comms_operation_01h9krwprkeee8fzqspvwy6nq",
        "comms_operation_01h9krwprkeee8fzqspvwy6nq88",
        "comms_operation_81h9krwprkeee8fzqspvwy6nq8",
        "comms_operation_01h9krwprkeee8fzqspvwy6nqi",
        "comms_operation_01H9KRWPRKEEE8FZQSPVWY6NQ8",
    ],
)
def test_what_is_no_id_reads_as_none(operation_id):
    assert read_id(operation_id) is None

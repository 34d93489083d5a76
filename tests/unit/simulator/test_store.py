"""The store: order, sharing, and JSON made on demand."""

from __future__ import annotations

import json
from random import Random

import pytest

from airflow_provider_comms.simulator import FieldError, OperationPlan
from airflow_provider_comms.simulator.store import OperationStore, Position

NOW = 1_800_000_000_000
PLAN = OperationPlan(processing_for=10)


@pytest.fixture
def store():
    return OperationStore("emails", Random(1))


def created(store):
    return [operation.position.created_ms for operation in store.between(Position(0), Position(2**63))]


def test_operations_are_in_order_however_they_came(store):
    store.add_many(PLAN, [NOW + 5, NOW + 1, NOW + 9])
    store.add(PLAN, NOW + 3)
    store.add_many(OperationPlan(), [NOW + 4, NOW + 2])

    assert created(store) == [NOW + offset for offset in (1, 2, 3, 4, 5, 9)]


def test_an_operation_is_found_by_its_id_and_shows_its_age(store):
    operation_id = store.add(PLAN, NOW)
    shown = json.loads(store.fetch(operation_id, NOW + 5_000))

    assert list(shown) == ["id", "status", "stats", "createdAt", "updatedAt"]
    assert (shown["id"], shown["status"]) == (operation_id, "PROCESSING")
    assert (shown["createdAt"], shown["updatedAt"]) == ("2027-01-15T08:00:00.000Z", "2027-01-15T08:00:05.000Z")


def test_an_operation_does_not_exist_before_its_creation(store):
    operation_id = store.add(PLAN, NOW)

    assert store.fetch(operation_id, NOW - 1) is None


def test_what_is_over_changes_no_more_yet_the_past_still_shows_as_it_was(store):
    operation_id = store.add(PLAN, NOW)
    over = store.fetch(operation_id, NOW + 10_000)

    assert store.fetch(operation_id, NOW + 90_000) == over
    assert json.loads(store.fetch(operation_id, NOW + 9_999))["status"] == "PROCESSING"


def test_an_id_of_ones_own(store):
    assert store.add(PLAN, NOW, "any id") == "any id"
    assert json.loads(store.fetch("any id", NOW))["id"] == "any id"
    with pytest.raises(FieldError, match="operation_id: there is an operation any id already"):
        store.add(PLAN, NOW, "any id")


def test_another_plan_takes_the_place_of_the_first(store):
    operation_id = store.add(PLAN, NOW)
    store.fetch(operation_id, NOW + 60_000)

    store.change(operation_id, OperationPlan(raw_status="PAUSED"))
    assert json.loads(store.fetch(operation_id, NOW + 60_000))["status"] == "PAUSED"
    with pytest.raises(FieldError, match="operation_id: there is no such operation among the emails"):
        store.change("another", PLAN)


@pytest.mark.parametrize("given", [None, "any id"])
def test_a_removed_operation_is_gone_and_its_id_free(store, given):
    operation_id = store.add(PLAN, NOW, given)

    store.remove(operation_id)

    assert store.fetch(operation_id, NOW) is None
    assert len(store) == 0
    with pytest.raises(FieldError, match="operation_id: there is no such operation"):
        store.remove(operation_id)
    assert store.add(PLAN, NOW, operation_id) == operation_id


@pytest.mark.parametrize("in_list", [False, True])
def test_a_plan_shared_by_both_resources_and_many_operations_shows_each_its_own(in_list):
    stores = [OperationStore("emails", Random(1)), OperationStore("messages", Random(2))]
    shown = []
    for store in stores:
        store.add_many(PLAN, [NOW, NOW + 1])
        for operation in store.between(Position(0), Position(NOW + 9)):
            shown.append(json.loads(operation.to_json(NOW + 60_000, in_list=in_list)))

    assert len({operation["id"] for operation in shown}) == 4
    assert [operation["createdAt"][-7:] for operation in shown] == ["00.000Z", "00.001Z"] * 2
    assert [operation["updatedAt"][-7:] for operation in shown] == ["10.000Z", "10.001Z"] * 2
    assert ["opened" in operation["stats"] for operation in shown] == [True, True, False, False]


def test_fields_can_be_odd(store):
    plan = OperationPlan(raw_fields={"kind": "é", "createdAt": None}, omit_fields=["stats"])
    shown = json.loads(store.fetch(store.add(plan, NOW), NOW))

    assert shown["kind"] == "é"
    assert shown["createdAt"] is None
    assert "stats" not in shown


def test_the_same_seed_gives_the_same_ids():
    ids = [OperationStore("emails", Random(7)).add(PLAN, NOW) for _ in range(2)]

    assert ids[0] == ids[1]


def test_a_hundred_thousand_operations_take_no_time_to_seed(store):
    store.add_many(PLAN, range(NOW, NOW + 100_000))

    assert len(store) == 100_000
    assert len(list(store.between(Position(NOW + 10), Position(NOW + 20)))) == 10

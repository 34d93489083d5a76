"""The shelf: order, sharing, and JSON made on demand."""

from __future__ import annotations

import json
from random import Random

import pytest

from airflow_provider_comms.simulator import FieldError, OperationPlan
from airflow_provider_comms.simulator.identifiers import created_ms_of
from airflow_provider_comms.simulator.store import Shelf

NOW = 1_800_000_000_000
PLAN = OperationPlan(processing_for=10)


@pytest.fixture
def shelf():
    return Shelf("emails", Random(1))


def created(shelf):
    return [created_ms_of(shelf.ulid(place)) for place in range(len(shelf))]


def test_operations_are_in_order_however_they_came(shelf):
    shelf.seed(PLAN, [NOW + 5, NOW + 1, NOW + 9])
    shelf.add(PLAN, NOW + 3)
    shelf.seed(OperationPlan(), [NOW + 4, NOW + 2])

    assert created(shelf) == [NOW + offset for offset in (1, 2, 3, 4, 5, 9)]


def test_an_operation_is_found_by_its_id_and_shows_its_age(shelf):
    operation_id = shelf.add(PLAN, NOW)
    shown = json.loads(shelf.fetch(operation_id, NOW + 5_000))

    assert list(shown) == ["id", "status", "stats", "createdAt", "updatedAt"]
    assert (shown["id"], shown["status"]) == (operation_id, "PROCESSING")
    assert (shown["createdAt"], shown["updatedAt"]) == ("2027-01-15T08:00:00.000Z", "2027-01-15T08:00:05.000Z")


def test_an_operation_does_not_exist_before_its_creation(shelf):
    operation_id = shelf.add(PLAN, NOW)

    assert shelf.fetch(operation_id, NOW - 1) is None


def test_what_is_over_is_written_once_yet_the_past_still_shows_as_it_was(shelf):
    operation_id = shelf.add(PLAN, NOW)
    over = shelf.fetch(operation_id, NOW + 10_000)

    assert shelf.fetch(operation_id, NOW + 90_000) is over
    assert json.loads(shelf.fetch(operation_id, NOW + 9_999))["status"] == "PROCESSING"


def test_an_id_of_ones_own(shelf):
    assert shelf.add(PLAN, NOW, "any id") == "any id"
    assert json.loads(shelf.fetch("any id", NOW))["id"] == "any id"
    with pytest.raises(FieldError, match="operation_id: there is an operation any id already"):
        shelf.add(PLAN, NOW, "any id")


def test_another_plan_takes_the_place_of_the_first(shelf):
    operation_id = shelf.add(PLAN, NOW)
    shelf.fetch(operation_id, NOW + 60_000)

    assert shelf.replace(operation_id, OperationPlan(raw_status="PAUSED"))
    assert json.loads(shelf.fetch(operation_id, NOW + 60_000))["status"] == "PAUSED"
    assert not shelf.replace("another", PLAN)


@pytest.mark.parametrize("given", [None, "any id"])
def test_a_removed_operation_is_gone_and_its_id_free(shelf, given):
    operation_id = shelf.add(PLAN, NOW, given)

    assert shelf.remove(operation_id)
    assert shelf.fetch(operation_id, NOW) is None
    assert not shelf.remove(operation_id)
    assert len(shelf) == 0


def test_fields_can_be_odd(shelf):
    plan = OperationPlan(raw_fields={"kind": "é", "createdAt": None}, omit_fields=["stats"])
    shown = json.loads(shelf.fetch(shelf.add(plan, NOW), NOW))

    assert shown["kind"] == "é"
    assert shown["createdAt"] is None
    assert "stats" not in shown


def test_the_same_seed_gives_the_same_ids():
    ids = [Shelf("emails", Random(7)).add(PLAN, NOW) for _ in range(2)]

    assert ids[0] == ids[1]


def test_a_hundred_thousand_operations_take_no_time_to_seed(shelf):
    shelf.seed(PLAN, range(NOW, NOW + 100_000))

    assert len(shelf) == 100_000
    assert shelf.span(NOW + 10, NOW + 20) == (10, 20)

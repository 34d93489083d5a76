"""The API's answers as models: tolerant where Twilio's own pages differ."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from airflow_provider_comms.comms.models import OPERATION_MODEL, PAGE_MODEL, OperationStats
from airflow_provider_comms.comms.resource import OperationStatus, Resource

CONTRACT = Path(__file__).parents[2] / "contract" / "comms-v1.openapi.yaml"
RECIPIENT = "alice@example.com"


def read(resource: str = "emails", *, without: tuple[str, ...] = (), **fields):
    body = {
        "id": "comms_operation_01h9krwprkeee8fzqspvwy6nq8",
        "status": "PROCESSING",
        "stats": {"total": 5},
        "createdAt": "2026-11-20T10:00:00Z",
        "updatedAt": "2026-11-20T10:00:05Z",
    } | fields
    body = {name: value for name, value in body.items() if name not in without}
    return OPERATION_MODEL[Resource(resource)].model_validate_json(json.dumps(body))


@pytest.fixture(scope="module")
def schemas():
    return yaml.safe_load(CONTRACT.read_text())["components"]["schemas"]


@pytest.mark.parametrize(("resource", "name"), [(Resource.EMAILS, "Email"), (Resource.MESSAGES, "Message")])
def test_the_counters_of_a_resource_the_models_and_the_contract_are_the_same(resource, name, schemas):
    contract = schemas[f"{name}OperationStats"]
    model = OPERATION_MODEL[resource].model_fields["stats"].annotation
    assert issubclass(model, OperationStats)
    assert list(resource.counters) == contract["required"]
    assert set(resource.counters) == set(contract["properties"]) == set(model.model_fields)


def test_the_statuses_and_the_contract_are_the_same(schemas):
    assert [*OperationStatus] == schemas["OperationStatus"]["enum"]


@pytest.mark.parametrize("resource", Resource)
def test_each_resource_has_its_models(resource):
    assert OPERATION_MODEL[resource].resource is resource
    assert OPERATION_MODEL[resource] in PAGE_MODEL[resource].model_fields["operations"].annotation.__args__


@pytest.mark.parametrize(
    ("status", "terminal"),
    [("SCHEDULED", False), ("PROCESSING", False), ("COMPLETED", True), ("CANCELED", True)],
)
def test_completed_and_canceled_are_the_end(status, terminal):
    operation = read(status=status)
    assert operation.status is OperationStatus(status)
    assert operation.is_terminal is terminal


@pytest.mark.parametrize("status", ["PAUSED", "completed", "FAILED", "CANCELLED", ""])
def test_an_unknown_status_is_kept_as_text_and_is_not_the_end(status):
    operation = read(status=status)
    assert operation.status == status
    assert not operation.is_terminal


def test_unknown_counters_are_kept_and_shown():
    stats = read(stats={"total": 5, "bouncedHard": 2, "clicked": 1}).stats
    assert stats.counters() == {"total": 5, "bounced_hard": 2, "clicked": 1}


def test_missing_counters_are_zero_and_not_reported():
    stats = read("messages", stats={"sent": 3}).stats
    assert (stats.total, stats.recipients, stats.attempts, stats.read) == (0, 0, 0, 0)
    assert stats.counters() == {"sent": 3}


def test_a_counter_that_is_null_is_zero():
    assert read(stats={"total": None, "sent": 1}).stats.counters() == {"total": 0, "sent": 1}


def test_the_known_counters_are_reported_in_the_order_of_the_model():
    stats = read(stats={"zeta": 1, "sent": 3, "total": 9}).stats
    assert list(stats.counters()) == ["total", "sent", "zeta"]


def test_what_is_no_number_is_no_counter_but_is_kept():
    stats = read(stats={"total": 5, "note": "x", "flag": True, "share": 0.5}).stats
    assert stats.counters() == {"total": 5}
    assert stats.model_extra == {"note": "x", "flag": True, "share": 0.5}


def test_unknown_fields_are_kept():
    assert read(channel="EMAIL", tags={"a": "b"}).model_extra == {"channel": "EMAIL", "tags": {"a": "b"}}


def test_neither_unknown_fields_nor_tokens_are_shown():
    operation = read(to=RECIPIENT, stats={"total": 5, "lastRecipient": RECIPIENT})
    page = PAGE_MODEL[Resource.EMAILS].model_validate_json(
        f'{{"operations": [{operation.model_dump_json(by_alias=True)}], "extra": "{RECIPIENT}",'
        '"pagination": {"next": "c2VjcmV0+/==", "self": "c2VsZg=="}}'
    )
    for shown in (operation, operation.stats, page, page.pagination, page.operations):
        for text in (repr(shown), str(shown), f"{shown}"):
            assert RECIPIENT not in text
            assert "c2V" not in text
    assert "PROCESSING" in repr(operation)


def test_an_operation_updated_before_it_was_created_is_accepted():
    operation = read(createdAt="2026-11-20T10:00:00.500Z", updatedAt="2026-11-20T10:00:00Z")
    assert operation.updated_at < operation.created_at


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00.123", datetime(2026, 11, 20, 10, 0, 0, 123_000, tzinfo=UTC)),
        ("2026-11-20T10:00:00+05:30", datetime(2026, 11, 20, 10, tzinfo=timezone(timedelta(hours=5, minutes=30)))),
    ],
)
def test_a_moment_is_aware_and_naive_ones_are_utc(text, moment):
    created = read(createdAt=text).created_at
    assert created == moment
    assert created.utcoffset() == moment.utcoffset()


@pytest.mark.parametrize("missing", ["id", "status", "stats", "createdAt", "updatedAt"])
def test_an_operation_without_what_every_operation_has_is_refused(missing):
    with pytest.raises(ValidationError, match=missing):
        read(without=(missing,))


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"id": 5},
        {"status": None},
        {"status": 3},
        {"stats": None},
        {"stats": []},
        {"stats": "5"},
        {"stats": {"total": "many"}},
        {"stats": {"total": 1.5}},
        {"stats": {"total": [1]}},
        {"createdAt": None},
        {"createdAt": "yesterday"},
        {"updatedAt": {}},
    ],
    ids=repr,
)
def test_a_field_of_a_wrong_type_is_refused(fields):
    with pytest.raises(ValidationError):
        read(**fields)


@pytest.mark.parametrize(
    ("status", "stats"),
    [
        # Cumulative, exclusive, more than a whole, scheduled with something sent, completed with something queued.
        ("COMPLETED", {"total": 5, "sent": 5, "delivered": 5, "opened": 3}),
        ("COMPLETED", {"total": 2, "sent": 0, "delivered": 2}),
        ("PROCESSING", {"total": 10, "recipients": 10, "attempts": 14, "sent": 10, "delivered": 5}),
        ("SCHEDULED", {"total": 10, "sent": 3, "scheduled": 7}),
        ("COMPLETED", {"total": 888, "queued": 111, "delivered": 777}),
    ],
)
def test_counters_that_contradict_each_other_or_the_status_are_taken_as_they_are(status, stats):
    operation = read(status=status, stats=stats)
    assert operation.stats.counters() == stats


def test_models_do_not_change():
    operation = read()
    with pytest.raises(ValidationError, match="frozen"):
        operation.status = "COMPLETED"


@pytest.mark.parametrize(
    ("pagination", "token"),
    [
        ('{"next": "abc=", "self": "x"}', "abc="),
        ('{"next": null, "self": "x"}', None),
        ('{"next": ""}', None),
        ('{"self": "x"}', None),
        ("{}", None),
        ("null", None),
        (None, None),
    ],
)
def test_a_null_missing_or_empty_next_ends_the_list(pagination, token):
    pagination = "" if pagination is None else f', "pagination": {pagination}'
    page = PAGE_MODEL[Resource.EMAILS].model_validate_json(f'{{"operations": []{pagination}}}')
    assert page.next_token == token

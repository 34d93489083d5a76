"""The API's answers as models: tolerant where Twilio's own pages differ."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.models import OPERATION_MODEL, EmailOperation, Operations, OperationStats
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
    return OPERATION_MODEL[Resource(resource)].of_record(json.loads(json.dumps(body)))


@pytest.fixture(scope="module")
def schemas():
    return yaml.safe_load(CONTRACT.read_text())["components"]["schemas"]


@pytest.mark.parametrize(("resource", "name"), [(Resource.EMAILS, "Email"), (Resource.MESSAGES, "Message")])
def test_the_counters_of_a_resource_the_models_and_the_contract_are_the_same(resource, name, schemas):
    contract = schemas[f"{name}OperationStats"]
    model = type(read(resource).stats)
    assert issubclass(model, OperationStats)
    assert list(resource.counters) == contract["required"]
    assert set(resource.counters) == set(contract["properties"])
    stats = read(resource, stats=dict.fromkeys(resource.counters, 7)).stats
    assert {counter: getattr(stats, counter) for counter in resource.counters} == dict.fromkeys(resource.counters, 7)


def test_the_statuses_and_the_contract_are_the_same(schemas):
    assert [*OperationStatus] == schemas["OperationStatus"]["enum"]


@pytest.mark.parametrize("resource", Resource)
def test_each_resource_has_its_models(resource):
    assert OPERATION_MODEL[resource].resource is resource
    assert read(resource).stats.resource is resource


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
    assert stats.extra == {"note": "x", "flag": True, "share": 0.5}


def test_unknown_fields_are_kept():
    assert read(channel="EMAIL", tags={"a": "b"}).extra == {"channel": "EMAIL", "tags": {"a": "b"}}


def test_unknown_fields_are_not_shown():
    operation = read(to=RECIPIENT, stats={"total": 5, "lastRecipient": RECIPIENT})
    for shown in (operation, operation.stats, [operation]):
        for text in (repr(shown), str(shown), f"{shown}"):
            assert RECIPIENT not in text
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
    with pytest.raises(ValueError, match=f"^{missing} is missing$"):
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
    with pytest.raises(ValueError, match=f"^{next(iter(fields))}.* is .*, not a") as caught:
        read(**fields)
    assert not any(text in str(caught.value) for text in ("many", "yesterday"))


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


@pytest.mark.parametrize("name", ["status", "id", "stats", "color"])
def test_operations_do_not_change(name):
    operation = read()
    with pytest.raises(AttributeError, match="frozen"):
        setattr(operation, name, "COMPLETED")
    with pytest.raises(AttributeError, match="frozen"):
        delattr(operation.stats, name)


def test_operations_are_compared_by_what_they_tell():
    assert read() == read()
    assert read().stats == read().stats
    assert read() != read(status="COMPLETED")
    assert read() != read("messages")
    assert read().stats != read(stats={"total": 6}).stats


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_operations_are_copied_whole(copied):
    operation = read(channel="EMAIL")
    assert copied(operation) == operation
    assert copied(operation.stats) == operation.stats


def test_an_operation_is_made_from_names_too():
    made = EmailOperation(
        id="comms_operation_1", status="COMPLETED", stats={"sent": 1}, created_at=0, updated_at="2026-11-20T10:00:00Z"
    )
    assert made.status is OperationStatus.COMPLETED
    assert (made.created_at, made.updated_at) == (
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 20, 10, tzinfo=UTC),
    )


DOCUMENTED = {
    "id": "comms_operation_01h9krwprkeee8fzqspvwy6nq8",
    "status": "PROCESSING",
    "stats": {"total": 5, "sent": 0},
    "createdAt": "2026-11-20T10:00:00.120Z",
    "updatedAt": "2026-11-20T10:00:05Z",
}
ODD_VALUES = {
    "id": ["é", "\ud800", None, 5],
    "status": ["PAUSED", "PAUSED\ud800", "", None, 3, []],
    "stats": [{}, {"total": None}, {"total": True}, {"sent": "5"}, {"total": 1.0}, {"bounced": 1.5}, [5], None],
    "createdAt": ["2026-11-20T10:00:00+05:30", "2026-11-20", 0, 9e10, "9000-01-01T00:00:00Z", "1969-12-31Z", None],
    "updatedAt": ["2026-11-20T10:00:00.12+00:00", "8999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "soon", {}],
    "channel": ["EMAIL", None],
}
odd_records = st.sampled_from([(name, value) for name, values in ODD_VALUES.items() for value in values])


@given(st.lists(st.none() | odd_records, max_size=4), st.sampled_from([None, "id", "stats", "createdAt"]))
def test_a_page_is_read_as_its_records_one_by_one_are(odd, missing):
    records = [DOCUMENTED | dict([each] if each else []) for each in odd]
    for record in records[:1]:
        record.pop(missing, None)
    alone, refused = [], []
    for record in records:
        try:
            alone.append(EmailOperation.of_record(record))
        except ValueError as reason:
            refused.append((record, str(reason)))
    found = []
    page = Operations.of_records(Resource.EMAILS, records, lambda *one: found.append((one[0], str(one[1]))))

    assert [*page] == alone
    assert [one.extra for one in page] == [one.extra for one in alone]
    assert found == refused


def test_operations_of_a_page_are_a_sequence():
    records = [DOCUMENTED | {"id": f"comms_operation_{n}"} for n in range(5)]
    page = Operations.of_records(Resource.EMAILS, records, print)

    assert (page[1], page[-1]) == (read(**records[1]), read(**records[4]))
    assert [*page[1:3]] == [*page.where([False, True, True, False, False])] == [read(**one) for one in records[1:3]]
    assert [one.id for one in page] == page.ids == [record["id"] for record in records]
    assert [one.created_at for one in page] == page.created_at
    assert page[2] in page
    with pytest.raises(IndexError):
        page[5]


AT_THE_ENDS_OF_TIME = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00",
    "9999-12-31T23:59:59.999999-12:00",
    "9999-12-31",
    "1969-12-31T23:59:59Z",
    -1e9,
    9e10,
]


@pytest.mark.parametrize("text", AT_THE_ENDS_OF_TIME)
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))], ids=str)
def test_a_date_at_the_ends_of_time_is_one_that_can_be_reckoned_with(text, zone):
    operation = read(createdAt=text, updatedAt=text, status="COMPLETED")
    assert operation.is_terminal
    for date in (operation.created_at, operation.updated_at):
        for days in (-7, 7):
            assert (date + timedelta(days=days)).astimezone(zone).utcoffset() is not None
        assert abs(date.timestamp()) < 1e12


@pytest.mark.parametrize("value", ["0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", 1e300, -1e300, True, "", "NaN"])
def test_a_date_that_python_cannot_hold_is_refused_as_no_date(value):
    with pytest.raises(ValueError, match=r"^createdAt is .*, not a date and time$"):
        read(createdAt=value)


@pytest.mark.parametrize("field", ["id", "status"])
def test_half_a_character_is_no_text(field):
    with pytest.raises(ValueError, match=f"^{field} has half of a surrogate pair"):
        read(**{field: "PAUSED\ud800"})


@pytest.mark.parametrize("record", [None, 5, "op", [], True])
def test_what_is_no_object_is_refused(record):
    with pytest.raises(ValueError, match="not a JSON object"):
        EmailOperation.of_record(record)

"""No operation's trouble is another's: waits side by side in a triggerer, and one thing that goes wrong."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from airflow_provider_comms.triggers.operation import CommsOperationTrigger


@pytest.fixture(autouse=True)
def connection(comms_simulator, monkeypatch):
    connection = json.loads(comms_simulator.connection_json())
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", json.dumps(connection))


def trigger(operation_id, **kwargs):
    kwargs = {"resource": "emails", "poke_interval": 0.2, "timeout": 30, "grace": 0, **kwargs}
    return CommsOperationTrigger(operation_id=operation_id, **kwargs)


async def event_of(one):
    return (await anext(one.run())).payload


def run_beside(healthy, troubled=(), seconds=20, **kwargs):
    """Run waits side by side until the healthy ones have ended; return their events and the seconds that it took."""

    async def together():
        others = [asyncio.create_task(event_of(trigger(one, **kwargs))) for one in troubled]
        begun = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                events = await asyncio.gather(*(event_of(trigger(one, **kwargs)) for one in healthy))
            return events, time.monotonic() - begun
        finally:
            for other in others:
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    return asyncio.run(together())


def verdicts(events):
    return [event["verdict"] for event in events]


def add(simulator, number, **plan):
    return [simulator.add_operation("emails", **{"processing_for": 0.8, **plan}) for _ in range(number)]


ODD_FIELDS = [
    {"updatedAt": None},
    {"createdAt": "soon"},
    {"stats": []},
    {"stats": {"delivered": "many"}},
    {"status": 7},
    {"id": None},
]


@pytest.mark.parametrize("fields", ODD_FIELDS, ids=str)
def test_a_record_that_cannot_be_read_is_that_operations_trouble(comms_simulator, fields):
    odd = add(comms_simulator, 15, raw_fields=fields)
    healthy = add(comms_simulator, 30)

    events, seconds = run_beside(healthy, odd, grace=60)

    assert verdicts(events) == ["finished"] * 30
    assert seconds < 9


@pytest.mark.parametrize(
    "created_at", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_date_without_a_form_in_utc_is_no_trouble_at_all(comms_simulator, created_at):
    ids = [*add(comms_simulator, 1, raw_fields={"createdAt": created_at}), *add(comms_simulator, 20)]

    events, _ = run_beside(ids)

    assert verdicts(events) == ["finished"] * 21


def test_one_odd_date_does_not_have_the_whole_account_listed(comms_simulator):
    comms_simulator.seed("emails", 5_000, processing_for=6_000, spread=3_600, until=comms_simulator.now)
    odd = add(comms_simulator, 1, processing_for=5, raw_fields={"createdAt": "2001-01-01T00:00:00Z"})
    ids = [*odd, *add(comms_simulator, 60, processing_for=5)]

    run_beside(ids)

    # As long as nothing is known of some, the whole account is listed; from then on not even for the odd one.
    pages = [request for request in comms_simulator.requests if request.query.get("pageSize")]
    assert all("startDate" in request.query for request in pages[-4:])


@pytest.mark.parametrize("status", [401, 403])
def test_a_list_that_is_refused_is_done_without(comms_simulator, status):
    ids = add(comms_simulator, 50)
    comms_simulator.fault(status, route="list")

    events, _ = run_beside(ids)

    assert verdicts(events) == ["finished"] * 50


@pytest.mark.parametrize(("kind", "fields"), [("hang", {}), (503, {"retry_after": 10}), (429, {"retry_after": 1})])
@pytest.mark.parametrize("listed", [True, False])
def test_one_fetch_that_hangs_or_is_throttled_holds_up_nobody(comms_simulator, kind, fields, listed):
    troubled = add(comms_simulator, 1)
    healthy = add(comms_simulator, 20 if listed else 2)
    comms_simulator.fault(kind, operation_id=troubled[0], route="fetch", **fields)

    events, seconds = run_beside(healthy, troubled)

    assert verdicts(events) == ["finished"] * len(healthy)
    assert seconds < 9


def test_lists_that_hang_hold_nobody_up_for_long(comms_simulator, monkeypatch):
    connection = json.loads(comms_simulator.connection_json()) | {"extra": {"attempt_timeout": 1}}
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", json.dumps(connection))
    ids = add(comms_simulator, 20)
    comms_simulator.fault("hang", route="list")

    events, seconds = run_beside(ids)

    assert verdicts(events) == ["finished"] * 20
    assert seconds < 9  # Two attempts at a list, and fetches.


def test_a_long_retry_after_of_one_does_not_outlast_a_wait_whose_operation_has_ended(comms_simulator):
    throttled, done = *add(comms_simulator, 1, processing_for=600), *add(comms_simulator, 1)
    comms_simulator.fault(429, operation_id=throttled, retry_after=3600)

    async def together():
        other = asyncio.create_task(event_of(trigger(throttled)))
        await asyncio.sleep(0.5)
        try:
            return await event_of(trigger(done, timeout=2))
        finally:
            other.cancel()
            await asyncio.gather(other, return_exceptions=True)

    event = asyncio.run(together())

    assert event["verdict"] == "finished"


def test_an_error_of_one_operation_is_told_to_no_other(comms_simulator):
    odd = add(comms_simulator, 1, raw_fields={"updatedAt": None})
    healthy = add(comms_simulator, 20)
    comms_simulator.fault(400, route="list")

    events, _ = run_beside(healthy, odd)

    assert verdicts(events) == ["finished"] * 20
    assert not any(odd[0] in json.dumps(event) for event in events)

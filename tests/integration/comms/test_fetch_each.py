"""Many fetches at a time: each is told as its response comes in, and those that hang delay no other."""

from __future__ import annotations

import asyncio
import time

import pytest

from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
from airflow_provider_comms.comms.errors import (
    CommsArgumentError,
    CommsError,
    CommsNotFoundError,
    CommsRateLimitError,
    CommsServerError,
    CommsTimeoutError,
)
from airflow_provider_comms.comms.models import Operation
from airflow_provider_comms.comms.settings import RetryPolicy, Timeouts

ONCE = {"retry": RetryPolicy(attempts=1), "timeouts": Timeouts(connect=0.3, read=0.3, attempt=0.3, call=0.6)}


def fetched(settings, ids, **options) -> list[tuple[str, object, float]]:
    """Fetch all; each with the seconds after which it was told."""

    async def collect() -> list[tuple[str, object, float]]:
        async with AsyncCommsClient(settings) as client:
            await client.get_operation("emails", ids[-1])  # The first request of a process takes longer.
            began = time.monotonic()
            view = client.with_options(**options)
            return [(one, found, time.monotonic() - began) async for one, found in view.fetch_each("emails", ids)]

    return asyncio.run(collect())


def test_one_that_hangs_delays_no_other(settings_for, simulator):
    ids = [simulator.add_operation() for _ in range(40)]
    simulator.fault("hang", operation_id=ids[0])
    patient = ONCE | {"timeouts": Timeouts(read=3, attempt=3)}
    told = fetched(settings_for(simulator, max_in_flight=4), ids, **patient)
    assert told[-1][0] == ids[0]
    assert isinstance(told[-1][1], CommsTimeoutError)
    assert {one for one, _, _ in told} == set(ids)
    assert all(isinstance(found, Operation) for _, found, _ in told[:-1])
    assert max(at for _, _, at in told[:-1]) < told[-1][2]


def test_one_that_is_told_to_wait_is_told_at_once_where_each_is_tried_once(settings_for, simulator, within):
    ids = [simulator.add_operation() for _ in range(5)]
    simulator.fault(503, retry_after=10, operation_id=ids[1])
    with within(6):
        told = {one: found for one, found, _ in fetched(settings_for(simulator), ids, **ONCE)}
    assert isinstance(told[ids[1]], CommsServerError)
    assert told[ids[1]].retry_after == 10
    assert sum(isinstance(found, Operation) for found in told.values()) == 4


def test_options_are_those_of_the_view_alone(settings_for, simulator):
    simulator.fault(500)
    with CommsClient(settings_for(simulator, attempts=3)) as client:
        once = client.with_options(retry=RetryPolicy(attempts=1))
        for asked, requests in ((once, 1), (client, 4)):
            with pytest.raises(CommsServerError):
                asked.get_operation("emails", "x")
            assert len(simulator.requests) == requests
        with pytest.raises(CommsServerError):
            list(once.list_operations("emails"))
    assert len(simulator.requests) == 5


def test_pages_too_can_be_tried_once_with_a_short_deadline(settings_for, simulator, within):
    simulator.fault("hang")
    with CommsClient(settings_for(simulator)) as client, within(4), pytest.raises(CommsTimeoutError):
        list(client.with_options(**ONCE).list_operations("emails"))
    assert len(simulator.requests) == 1


def test_whoever_leaves_early_leaves_no_request_behind(settings_for, simulator, eventually):
    ids = [simulator.add_operation() for _ in range(30)]
    simulator.change_settings(latency=0.05)

    async def first_only() -> None:
        async with AsyncCommsClient(settings_for(simulator, max_in_flight=3)) as client:
            results = client.fetch_each("emails", ids)
            await anext(results)
            await results.aclose()
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(first_only())
    eventually(lambda: simulator.request_counts()["in_flight"] == 0)
    assert len(simulator.requests) <= 6


def test_ids_that_cannot_be_do_not_hold_the_loop(settings_for, simulator):
    """Their errors take no time on the wire, so nothing else would let others run."""

    async def turns_of_others() -> int:
        turns = 0
        async with AsyncCommsClient(settings_for(simulator)) as client:
            work = asyncio.create_task(client.try_operations("emails", [f"no/id {n}" for n in range(5_000)]))
            while not work.done():
                await asyncio.sleep(0)
                turns += 1
            assert {type(error) for error in work.result().values()} == {CommsArgumentError}
        return turns

    assert asyncio.run(turns_of_others()) >= 5_000 / 16


def test_what_is_not_ours_is_raised(settings_for, simulator):
    async def fetch() -> None:
        async with AsyncCommsClient(settings_for(simulator)) as client:
            await client.try_operations("emails", ["x", ["no", "text"]])  # type: ignore[list-item]

    with pytest.raises(TypeError):
        asyncio.run(fetch())


@pytest.fixture
def blocked(make_client, settings_for, simulator):
    """A connection that was told to wait for a day."""
    simulator.fault(429, retry_after=86_400, times=1)
    once = make_client(settings_for(simulator, attempts=1))
    with pytest.raises(CommsRateLimitError):
        once.get("emails", "x")
    return settings_for(simulator)


def test_a_last_chance_may_pass_a_blocked_throttle_and_nobody_else_may(blocked, simulator):
    operation_id = simulator.add_operation(age=3600)
    with CommsClient(blocked) as client:
        with pytest.raises(CommsRateLimitError, match="Not sent"):
            client.get_operation("emails", operation_id)
        last = client.with_options(last_chance=True)
        assert last.get_operation("emails", operation_id).is_terminal
        with pytest.raises(CommsRateLimitError, match="Not sent"):
            client.get_operation("emails", operation_id)


def test_options_of_a_view_hold_in_the_views_made_from_it(settings_for, simulator):
    simulator.fault(503)
    with CommsClient(settings_for(simulator)) as client:
        once = client.with_options(retry=RetryPolicy(attempts=1)).with_options(timeouts=Timeouts(attempt=5))
        with pytest.raises(CommsServerError):
            once.get_operation("emails", "x")
    assert len(simulator.requests) == 1


def test_last_chances_of_many_pass_one_a_second(blocked, simulator):
    ids = [simulator.add_operation() for _ in range(10)]
    with CommsClient(blocked) as client:
        last = client.with_options(last_chance=True, timeouts=Timeouts(call=0.5))
        found = last.try_operations("emails", ids)
    assert sum(isinstance(one, Operation) for one in found.values()) == 1
    assert all(isinstance(one, Operation | CommsRateLimitError) for one in found.values())


def test_a_last_chance_asks_once_where_it_is_refused(blocked, simulator):
    simulator.fault(429, retry_after=86_400)
    sent = len(simulator.requests)
    with CommsClient(blocked) as client, pytest.raises(CommsRateLimitError) as caught:
        client.with_options(last_chance=True).get_operation("emails", "x")
    assert caught.value.context.status == 429
    assert len(simulator.requests) == sent + 1


def test_the_failure_of_one_is_its_own(settings_for, simulator):
    ids = [simulator.add_operation(), "gone", simulator.add_operation()]
    told = {one: found for one, found, _ in fetched(settings_for(simulator), ids)}
    assert isinstance(told["gone"], CommsNotFoundError)
    assert sum(isinstance(found, CommsError) for found in told.values()) == 1

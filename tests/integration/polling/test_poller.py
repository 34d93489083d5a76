"""Many waits on one loop, as in a triggerer: they share one poll, and the trouble of one is nothing to the others."""

from __future__ import annotations

import asyncio
import contextvars
import json
import time
from itertools import pairwise

import pytest

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.polling import clients, shared
from airflow_provider_comms.polling.shared import shared_poller
from airflow_provider_comms.triggers.operation import CommsOperationTrigger

LIST, FETCH = "emails.list", "emails.fetch"


@pytest.fixture(autouse=True)
def connection(comms_simulator, monkeypatch):
    connection = json.loads(comms_simulator.connection_json())
    connection["extra"] = {"attempts": 1}
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", json.dumps(connection))


def trigger(operation_id, **kwargs):
    kwargs = {"resource": "emails", "poke_interval": 0.2, "timeout": 30, "grace": 0, **kwargs}
    return CommsOperationTrigger(operation_id=operation_id, **kwargs)


async def event_of(one):
    return (await anext(one.run())).payload


def run(*triggers):
    """Run triggers side by side to their ends; return their events."""

    async def together():
        return await asyncio.gather(*(event_of(one) for one in triggers))

    return asyncio.run(together())


def verdicts(events):
    return [event["verdict"] for event in events]


def requests(simulator):
    return simulator.request_counts()["by_route"]


def test_a_thousand_waits_that_start_together_cost_one_poll(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(1000)]

    async def start_and_leave():
        tasks = [asyncio.create_task(event_of(trigger(one, poke_interval=60))) for one in ids]
        async with asyncio.timeout(30):
            while FETCH not in requests(comms_simulator):  # noqa: ASYNC110  (it is another thread that answers)
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(start_and_leave())

    # One page of PROCESSING, an empty one of SCHEDULED, and one look at a single one to be sure.
    assert requests(comms_simulator) == {LIST: 2, FETCH: 1}


def test_many_that_end_together_are_seen_by_lists(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=1.5) for _ in range(500)]

    events = run(*(trigger(one, poke_interval=0.5) for one in ids))

    assert verdicts(events) == ["finished"] * 500
    assert [event["operations"][0]["id"] for event in events] == ids
    assert comms_simulator.request_counts()["total"] < 60


def test_few_among_many_of_others_are_fetched_one_by_one(comms_simulator):
    comms_simulator.seed("emails", 20_000, processing_for=600, spread=10, until=comms_simulator.now)
    ids = [comms_simulator.add_operation("emails", processing_for=1.5) for _ in range(5)]

    events = run(*(trigger(one, poke_interval=0.3) for one in ids))

    assert verdicts(events) == ["finished"] * 5
    counts = requests(comms_simulator)
    assert counts.get(LIST, 0) <= 2 * len(ids)


def test_one_that_is_gone_fails_alone(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=1) for _ in range(8)]
    gone = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"

    events = run(*(trigger(one) for one in [*ids, gone]))

    assert verdicts(events) == ["finished"] * 8 + ["failed"]
    assert "404" in events[-1]["message"]


def test_refused_credentials_reach_every_wait_with_their_cause(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(50)]
    comms_simulator.fault(401)

    events = run(*(trigger(one) for one in ids))

    assert verdicts(events) == ["failed"] * 50
    assert all("20003" in event["message"] for event in events)
    # Each is asked itself, once: no wait fails for what met another one.
    assert comms_simulator.request_counts()["total"] <= 50 + 5


@pytest.mark.parametrize("kind", [500, 503, 400, "reset", "html", "cut_json"])
def test_where_the_list_fails_each_is_fetched(comms_simulator, kind):
    ids = [comms_simulator.add_operation("emails", processing_for=0.8) for _ in range(20)]
    comms_simulator.fault(kind, route="list")

    assert verdicts(run(*(trigger(one) for one in ids))) == ["finished"] * 20


def test_a_page_token_that_is_refused_in_mid_list_loses_nobody(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=2) for _ in range(1100)]
    comms_simulator.fault(400, route="list", skip=1)

    events = run(*(trigger(one, poke_interval=1, timeout=120) for one in ids))

    assert verdicts(events) == ["finished"] * 1100


@pytest.mark.parametrize(("kind", "at_first"), [(503, 10), ("reset", 10), ("truncated", 10), ("html", 200)])
def test_while_the_api_is_down_ten_requests_an_interval_ask_whether_it_is_back(comms_simulator, kind, at_first):
    ids = [comms_simulator.add_operation("emails", processing_for=0.5) for _ in range(200)]
    down = comms_simulator.fault(kind)

    async def down_for_two_seconds():
        tasks = [asyncio.create_task(event_of(trigger(one, poke_interval=0.5))) for one in ids]
        began = time.monotonic()
        while down.hits < 10:  # noqa: ASYNC110  (The server counts in its own thread; a busy machine begins late.)
            await asyncio.sleep(0.01)
        await asyncio.sleep(2)
        intervals = (time.monotonic() - began) / 0.5
        asked = down.hits
        comms_simulator.clear_faults()
        return asked, intervals, await asyncio.gather(*tasks)

    asked, intervals, events = asyncio.run(down_for_two_seconds())

    assert verdicts(events) == ["finished"] * 200
    # A list once, and ten fetches each time; once more for those that join late.
    assert asked <= 1 + at_first + 10 * (intervals + 5)


def test_a_429_is_obeyed_by_all_and_lost_by_none(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=0.2) for _ in range(100)]
    limit = comms_simulator.fault(429, retry_after=1, times=2)

    events = run(*(trigger(one) for one in ids))

    assert verdicts(events) == ["finished"] * 100
    assert limit.hits == 2


def test_a_list_that_lags_behind_delays_nobody_for_ever(comms_simulator):
    comms_simulator.change_settings(list_lag=3600)
    ids = [comms_simulator.add_operation("emails", processing_for=1) for _ in range(10)]

    assert verdicts(run(*(trigger(one) for one in ids))) == ["finished"] * 10


def test_waits_that_begin_at_all_times_come_into_step(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(8)]

    async def join_one_by_one():
        tasks = []
        for one in ids:
            tasks.append(asyncio.create_task(event_of(trigger(one, poke_interval=1.6))))
            await asyncio.sleep(0.2)
        comms_simulator.clear_requests()
        await asyncio.sleep(4.8)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(join_one_by_one())

    # Three intervals, in each a look at all: two pages and a fetch; a few more for those that joined last.
    assert comms_simulator.request_counts()["total"] <= 3 * 3 + 3


def test_where_many_end_at_once_the_rest_is_looked_at_again_after_half_an_interval(comms_simulator):
    first = [comms_simulator.add_operation("emails", processing_for=1) for _ in range(3)]
    last = comms_simulator.add_operation("emails", processing_for=3.2)

    run(*(trigger(one, poke_interval=2) for one in [*first, last]))

    # One poll comes 2 s after the one before it, and the one after that sooner.
    at = [request.at for request in comms_simulator.requests]
    assert any(0.9 < later - earlier < 1.9 for earlier, later in pairwise(at))


def test_a_list_that_shows_ended_operations_as_pending_is_trusted_less_and_less(comms_simulator):
    # For the next 90 s the list shows all of them as they were: a look at a single one each time would take 200 looks.
    comms_simulator.change_settings(list_lag=90)
    ids = [comms_simulator.add_operation("emails", age=100, processing_for=101) for _ in range(200)]

    assert verdicts(run(*(trigger(one) for one in ids))) == ["finished"] * 200
    counts = requests(comms_simulator)
    assert counts[LIST] <= 2 * 15
    assert counts[FETCH] <= 2 * 200


def test_a_rotated_token_is_read_again_and_all_waits_of_the_connection_go_on(comms_simulator, monkeypatch):
    ids = [comms_simulator.add_operation("emails", processing_for=2) for _ in range(20)]
    message = comms_simulator.add_operation("messages", processing_for=2)

    async def rotate_meanwhile():
        waits = [trigger(one) for one in ids] + [trigger(message, resource="messages")]
        tasks = [asyncio.create_task(event_of(one)) for one in waits]
        await asyncio.sleep(1)
        monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", comms_simulator.connection_json(api_key=True))
        comms_simulator.revoke(comms_simulator.account_sid)
        events = await asyncio.gather(*tasks)
        return events, clients._shared[asyncio.get_running_loop()]

    events, left = asyncio.run(rotate_meanwhile())

    assert verdicts(events) == ["finished"] * 21
    assert left == {}
    assert comms_simulator.request_counts()["by_status"]["401"] <= 2 * 3  # A few requests of each resource.


def test_a_wait_that_leaves_leaves_nothing_behind(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(3)]

    async def leave():
        tasks = [asyncio.create_task(event_of(trigger(one))) for one in ids]
        await asyncio.sleep(0.6)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        loop = asyncio.get_running_loop()
        return asyncio.all_tasks() - {asyncio.current_task()}, shared._shared[loop], clients._shared[loop]

    assert asyncio.run(leave()) == (set(), {}, {})


def test_each_wait_keeps_its_own_interval_and_deadline(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(2)]

    async def timed():
        start = asyncio.get_running_loop().time()
        events = []
        for one in asyncio.as_completed(
            [event_of(trigger(ids[0], timeout=0.5)), event_of(trigger(ids[1], timeout=1.5, poke_interval=0.7))]
        ):
            events.append(((await one)["reason"], asyncio.get_running_loop().time() - start))
        return events

    (first, early), (second, late) = asyncio.run(timed())

    assert (first, second) == ("timeout", "timeout")
    assert early < 1.3 < late


def test_lines_of_the_poll_do_not_land_in_a_strangers_task_log(comms_simulator):
    whose = contextvars.ContextVar("whose", default="nobody")
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(2)]

    async def contexts():
        whose.set("the first task")
        tasks = [asyncio.create_task(event_of(trigger(one))) for one in ids]
        await asyncio.sleep(0.3)
        polls = [task for task in asyncio.all_tasks() if "_Supervised._run" in repr(task)]
        seen = [task.get_context().get(whose) if hasattr(task, "get_context") else None for task in polls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return seen

    assert asyncio.run(contexts()) == [None]


def test_pollers_of_one_connection_share_its_client(comms_simulator):
    read = CommsHook("twilio_comms_default").aget_settings

    async def clients_in_use():
        async with (
            shared_poller("twilio_comms_default", Resource.EMAILS, read) as emails,
            shared_poller("twilio_comms_default", Resource.MESSAGES, read) as messages,
            shared_poller("twilio_comms_default", Resource.EMAILS, read) as again,
        ):
            assert emails is again is not messages
            return len(clients._shared[asyncio.get_running_loop()])

    assert asyncio.run(clients_in_use()) == 1


def test_an_end_is_one_even_if_it_is_dated_before_what_was_seen(comms_simulator):
    ids = [comms_simulator.add_operation("emails", processing_for=600, recipients=100_000) for _ in range(40)]

    async def ended_in_the_past():
        waiting = [asyncio.create_task(event_of(trigger(one))) for one in ids]
        await asyncio.sleep(1)
        for one in ids:
            comms_simulator.change_operation("emails", one, processing_for=0.1, recipients=100_000)
        return await asyncio.wait_for(asyncio.gather(*waiting), timeout=20)

    assert verdicts(asyncio.run(ended_in_the_past())) == ["finished"] * len(ids)

"""A poll and its client as their users have them: who joins, what is read again, what dies and comes back."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.settings import ClientSettings
from airflow_provider_comms.polling.errors import NotPolledError
from airflow_provider_comms.polling.limits import PollLimits
from airflow_provider_comms.polling.shared import shared_poller

QUICK = PollLimits(reread_on_join=0.0, reread_in_outage=0.1, restart_after=0.1)
NAME = "test"


@pytest.fixture
def settings(comms_simulator):
    return ClientSettings(
        username=comms_simulator.account_sid, password=comms_simulator.auth_token, base_url=comms_simulator.url
    )


def join(read_settings, limits=QUICK):
    return shared_poller(NAME, Resource.EMAILS, read_settings, limits)


def constant(settings):
    async def read():
        return settings

    return read


async def update_for(poller, *ids, known=None, due_in=0.0, unchanged_for=0.0):
    async with asyncio.timeout(20):
        return await poller.wait_for_update(
            list(ids), known or {}, due_in=due_in, interval=0.2, unchanged_for=unchanged_for
        )


async def end_of(poller, operation_id):
    known = {}
    while True:
        update = await update_for(poller, operation_id, known=known, unchanged_for=60)
        known.update({one: what for one, what in update.found.items() if not isinstance(what, Exception)})
        if operation_id in known and known[operation_id].is_terminal:
            return known[operation_id].status


@pytest.mark.parametrize("error", [TimeoutError(), OSError("no secrets backend"), RuntimeError("?")], ids=repr)
@pytest.mark.parametrize("status", [401, 403])
def test_a_rejection_is_not_final_while_the_connection_cannot_be_read_again(
    comms_simulator, settings, status, error, caplog
):
    one = comms_simulator.add_operation("emails", processing_for=600)
    comms_simulator.fault(status)
    read_before = []

    async def read():
        if read_before:
            raise error
        read_before.append(True)
        return settings

    async def poll():
        async with join(read) as poller:
            return await update_for(poller, one)

    update = asyncio.run(poll())

    assert isinstance(update.found[one], NotPolledError)
    assert "the credentials were rejected, and could not be read again" in str(update.found[one])
    assert "Could not re-read the connection" in caplog.text


def test_a_poll_that_was_cancelled_by_somebody_tells_its_waits_and_starts_again(comms_simulator, settings, caplog):
    one = comms_simulator.add_operation("emails", processing_for=600)

    async def poll():
        async with join(constant(settings)) as poller:
            first = await update_for(poller, one)
            hears = asyncio.create_task(update_for(poller, one, known=first.found, due_in=60, unchanged_for=60))
            await asyncio.sleep(0.1)
            (task,) = (task for task in asyncio.all_tasks() if task.get_name() == f"poll {NAME} emails")
            task.cancel()
            return await hears, await update_for(poller, one)

    told, later = asyncio.run(poll())

    assert isinstance(told.found[one], NotPolledError)
    assert told.found[one].transient
    assert later.found[one].status == "PROCESSING"
    assert "The poll failed unexpectedly" in caplog.text


def test_a_corrected_connection_is_seen_by_those_who_join(comms_simulator, settings):
    one = comms_simulator.add_operation("emails", processing_for=0)
    now = [replace(settings, base_url="http://127.0.0.1:9")]

    async def read():
        return now[0]

    async def poll():
        async with join(read) as poller:
            lost = await update_for(poller, one)
            now[0] = settings
            async with join(read) as same:
                return lost.found[one], await end_of(same, one)

    lost, status = asyncio.run(poll())

    assert lost.transient
    assert status == "COMPLETED"


def test_a_corrected_connection_is_seen_by_those_who_wait(comms_simulator, settings):
    one = comms_simulator.add_operation("emails", processing_for=0)
    now = [replace(settings, base_url="http://127.0.0.1:9")]

    async def read():
        return now[0]

    async def poll():
        async with join(read) as poller:
            await update_for(poller, one)
            now[0] = settings
            return await end_of(poller, one)

    assert asyncio.run(poll()) == "COMPLETED"


def test_many_who_join_together_read_the_connection_once(comms_simulator, settings):
    ids = [comms_simulator.add_operation("emails", processing_for=0.5) for _ in range(50)]
    reads = []

    async def read():
        reads.append(time.monotonic())
        await asyncio.sleep(0.05)
        return settings

    async def wait(one):
        async with join(read, PollLimits()) as poller:
            return await end_of(poller, one)

    async def poll():
        return await asyncio.gather(*map(wait, ids))

    assert asyncio.run(poll()) == ["COMPLETED"] * 50
    assert len(reads) == 1


def test_many_who_join_together_share_the_failure_of_the_reading():
    reads = []

    async def read():
        reads.append(time.monotonic())
        await asyncio.sleep(0.05)
        raise OSError("no secrets backend")

    async def wait():
        async with join(read, PollLimits()):
            pass

    async def poll():
        return await asyncio.gather(*(wait() for _ in range(50)), return_exceptions=True)

    assert {str(error) for error in asyncio.run(poll())} == {"no secrets backend"}
    assert len(reads) == 2  # The first for whoever was first; the next for all who came while it went on.


def test_a_client_that_was_replaced_is_closed(comms_simulator, settings):
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(21)]
    changes = [0]

    async def read():
        changes[0] += 1
        return replace(settings, user_agent=f"number {changes[0]}")

    async def poll():
        async with join(read) as first:
            await update_for(first, ids.pop())
            before = sockets()
            while ids:
                async with join(read) as poller:
                    await update_for(poller, ids.pop())
            return before, sockets()

    before, after = asyncio.run(poll())

    assert changes[0] == 21
    assert after <= before + 2
    agents = [request.headers["user-agent"] for request in comms_simulator.requests]
    assert agents[-1] == "number 21"


def sockets():
    gc.collect()
    return sum("socket" in str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink())


@asynccontextmanager
async def polling(settings, limits):
    async with join(constant(settings), limits) as poller:
        yield poller


def test_where_lists_do_not_work_all_have_their_turn(comms_simulator, settings):
    ids = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(60)]
    comms_simulator.fault(400, route="list")

    async def poll():
        async with polling(settings, replace(QUICK, fetches=20, fetches_once=20)) as poller:
            known = {}
            polls = 0
            while len(known) < 60:
                update = await update_for(poller, *ids, known=known, due_in=0.2)
                known.update(update.found)
                polls += update.polls
            return polls

    assert asyncio.run(poll()) <= 4


def test_a_list_without_an_end_is_given_up(comms_simulator, settings):
    ids = [comms_simulator.add_operation("emails", processing_for=0.5) for _ in range(200)]
    comms_simulator.change_settings(endless_pages=True)

    async def poll():
        async with join(constant(settings)) as poller:
            return await asyncio.gather(*(end_of(poller, one) for one in ids))

    assert asyncio.run(poll()) == ["COMPLETED"] * 200
    assert comms_simulator.request_counts()["by_route"]["emails.list"] <= 120


def test_a_poll_is_given_one_attempt_for_each_request(comms_simulator, settings):
    one = comms_simulator.add_operation("emails", processing_for=600)
    fault = comms_simulator.fault(503)

    async def poll():
        async with join(constant(settings)) as poller:
            return await update_for(poller, one)

    assert asyncio.run(poll()).found[one].transient
    assert fault.hits == 1


def test_where_the_list_fails_operations_that_hang_do_not_take_the_places_of_others(comms_simulator, settings):
    hanging = [comms_simulator.add_operation("emails", processing_for=600) for _ in range(40)]
    healthy = [comms_simulator.add_operation("emails", processing_for=1) for _ in range(60)]
    comms_simulator.fault(503, route="list")
    for one in hanging:
        comms_simulator.fault("hang", route="fetch", operation_id=one)

    async def poll():
        async with join(constant(settings), replace(QUICK, slow_after=0.2, request_timeout=2.0)) as poller:
            others = [asyncio.create_task(end_of(poller, one)) for one in hanging]
            await asyncio.sleep(0)
            try:
                async with asyncio.timeout(6):  # If they did, it would take 40 / 10 * 2 s and more.
                    return await asyncio.gather(*(end_of(poller, one) for one in healthy))
            finally:
                for other in others:
                    other.cancel()
                await asyncio.gather(*others, return_exceptions=True)

    assert asyncio.run(poll()) == ["COMPLETED"] * 60


def test_an_api_that_is_slow_is_not_taken_for_one_that_is_down(comms_simulator, settings):
    ids = [comms_simulator.add_operation("emails", processing_for=0) for _ in range(60)]
    comms_simulator.fault(503, route="list")
    comms_simulator.change_settings(latency=0.5)

    async def poll():
        async with join(constant(settings), replace(QUICK, slow_after=0.1)) as poller:
            return await asyncio.gather(*(end_of(poller, one) for one in ids))

    assert asyncio.run(poll()) == ["COMPLETED"] * 60
    assert comms_simulator.request_counts()["total"] < 2 * 60

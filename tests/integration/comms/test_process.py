"""A client in the life of a process: threads, forks, interrupts, garbage, loops and the end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.models import Operation
from airflow_provider_comms.comms.thread_loop import thread_loop

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


class Interrupted(BaseException):
    """What a signal handler raises, as Airflow's execution_timeout does."""


@contextmanager
def interrupted_after(seconds: float):
    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def in_a_child(work) -> int:
    """Fork, work, and return the child's exit code; a child that hangs is ended."""
    child = os.fork()
    if not child:
        watchdog = threading.Timer(8, os._exit, (3,))
        watchdog.daemon = True
        watchdog.start()
        code = 2
        try:
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_client_that_was_used_before_a_fork_works_in_the_child_and_in_the_parent(settings_for, simulator):
    operation_id = simulator.add_operation()
    with CommsClient(settings_for(simulator)) as client:
        client.get_operation("emails", operation_id)

        def work() -> bool:
            return client.get_operation("emails", operation_id).id == operation_id

        assert in_a_child(work) == 0
        assert work()
        assert in_a_child(lambda: in_a_child(work) == 0) == 0
    assert len(simulator.requests) == 4


@needs_fork
@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_listing_begun_before_a_fork_says_so_in_the_child_and_goes_on_in_the_parent(
    settings_for, simulator, within, parallel
):
    simulator.seed("emails", 50)
    with CommsClient(settings_for(simulator)) as client:
        listing = client.list_operations("emails", page_size=5, parallel=parallel)
        first = next(listing)

        def work() -> bool:
            with pytest.raises(CommsError, match="started before the process was forked"):
                list(listing)
            return len(list(client.list_operations("emails"))) == 50

        with within(5):
            assert in_a_child(work) == 0
        assert len({first.id, *(operation.id for operation in listing)}) == 50


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_in_the_midst_of_other_threads_requests_works(settings_for, simulator):
    ids = [simulator.add_operation() for _ in range(50)]
    stop = threading.Event()
    with CommsClient(settings_for(simulator)) as client:

        def keep_asking() -> None:
            while not stop.is_set():
                client.try_operations("emails", ids)

        threads = [threading.Thread(target=keep_asking) for _ in range(2)]
        for thread in threads:
            thread.start()
        codes = [in_a_child(lambda: client.get_operation("emails", ids[0]).id == ids[0]) for _ in range(5)]
        stop.set()
        for thread in threads:
            thread.join()
    assert codes == [0] * 5


def test_threads_share_a_client(settings_for, simulator):
    ids = [simulator.add_operation() for _ in range(8)]
    simulator.seed("messages", 40)
    failures = []
    with CommsClient(settings_for(simulator)) as client:

        def work(own: str) -> None:
            for _ in range(5):
                if client.get_operation("emails", own).id != own:
                    failures.append(own)
                if len(list(client.list_operations("messages", page_size=9, parallel=2))) != 40:
                    failures.append("list")

        threads = [threading.Thread(target=work, args=(one,)) for one in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_closing_a_client_while_others_use_it_gives_answers_or_comms_errors(settings_for, simulator):
    ids = [simulator.add_operation() for _ in range(20)]
    simulator.change_settings(latency=0.003)
    odd = []
    stop = threading.Event()
    client = CommsClient(settings_for(simulator))

    def keep_asking() -> None:
        while not stop.is_set():
            try:
                found = client.try_operations("emails", ids).values()
                odd.extend(one for one in found if not isinstance(one, Operation | CommsError))
            except BaseException as error:  # noqa: BLE001
                odd.append(error)

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        time.sleep(0.01)
        client.close()
    stop.set()
    for thread in threads:
        thread.join()
    client.close()
    assert odd == []


def test_a_closed_client_can_be_used_again(make_client, settings_for, simulator):
    operation_id = simulator.add_operation()
    client = make_client(settings_for(simulator))
    if client.name == "sync":
        client.close()
        client.get("emails", operation_id)
        client.close()
        client.close()
    else:
        client.runner.run(client.client.aclose())
        client.get("emails", operation_id)
        client.runner.run(client.client.aclose())
    assert client.get("emails", operation_id).id == operation_id


def test_an_interrupt_in_a_fetch_is_raised_as_it_is_and_cancels_the_request(
    settings_for, raw_server, within, eventually
):
    server = raw_server(lambda exchange: exchange.silence())
    client = CommsClient(settings_for(server))
    with within(4), pytest.raises(Interrupted), interrupted_after(0.2):
        client.get_operation("emails", "x")
    eventually(server.exchanges[0].left.is_set)
    client.close()


@pytest.mark.parametrize("parallel", [1, 4])
def test_an_interrupt_in_a_listing_is_raised_as_it_is_and_cancels_its_requests(
    settings_for, simulator, within, eventually, parallel
):
    simulator.seed("emails", 50)
    simulator.fault("hang", skip=parallel)
    client = CommsClient(settings_for(simulator))
    with within(4), pytest.raises(Interrupted), interrupted_after(0.2):
        list(client.list_operations("emails", page_size=2, parallel=parallel))
    eventually(lambda: simulator.request_counts()["in_flight"] == 0)
    simulator.clear_faults()
    assert len(list(client.list_operations("emails"))) == 50
    client.close()


def test_an_interrupt_while_waiting_to_ask_again_is_raised_at_once(settings_for, simulator, within):
    simulator.fault(503, retry_after=5)
    client = CommsClient(settings_for(simulator))
    with within(4), pytest.raises(Interrupted), interrupted_after(0.1):
        client.get_operation("emails", "x")
    client.close()
    assert len(simulator.requests) == 1


def test_cancelling_a_task_ends_its_request(settings_for, raw_server, eventually):
    server = raw_server(lambda exchange: exchange.silence())

    async def cancelled() -> None:
        async with AsyncCommsClient(settings_for(server)) as client:
            task = asyncio.create_task(client.get_operation("emails", "x"))
            await asyncio.to_thread(eventually, lambda: server.exchanges)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    eventually(server.exchanges[0].left.is_set)


def test_cancelled_callers_give_their_turn_back(settings_for, simulator):
    operation_id = simulator.add_operation()

    async def work() -> None:
        async with AsyncCommsClient(settings_for(simulator, max_in_flight=2)) as client:
            for _ in range(5):
                simulator.change_settings(latency=1)
                tasks = [asyncio.create_task(client.get_operation("emails", operation_id)) for _ in range(6)]
                await asyncio.sleep(0.02)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            simulator.change_settings(latency=0)
            async with asyncio.timeout(2):
                await asyncio.gather(*(client.get_operation("emails", operation_id) for _ in range(6)))

    asyncio.run(work())


def test_a_listing_that_is_garbage_does_not_hold_up_the_loop_that_collects_it(settings_for, simulator, within):
    """Garbage in a circle is collected by whichever thread comes by, the client's own too."""
    simulator.seed("emails", 20)
    client = CommsClient(settings_for(simulator))
    gc.disable()
    try:
        circle = {"listing": client.list_operations("emails", page_size=5)}
        circle["self"] = circle
        next(circle["listing"])
        del circle
        with within(8):
            collected = threading.Event()
            thread_loop().call_soon_threadsafe(lambda: (gc.collect(), collected.set()))
            assert collected.wait(6)
            assert len(list(client.list_operations("emails"))) == 20
    finally:
        gc.enable()
    client.close()


UNFINISHED = """
import sys
from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.comms.settings import ClientSettings
client = CommsClient(ClientSettings(base_url=sys.argv[1], username=sys.argv[2], password=sys.argv[3]))
listing = client.list_operations("emails", page_size=5, parallel=int(sys.argv[4]))
print(next(listing).id)
"""


@pytest.mark.parametrize("parallel", ["1", "3"])
def test_a_process_ends_with_a_listing_unfinished_and_a_client_open(settings_for, simulator, parallel):
    simulator.seed("emails", 100)
    made = settings_for(simulator)
    command = [sys.executable, "-c", UNFINISHED, made.base_url, made.username, made.password, parallel]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0
    assert done.stdout.startswith("comms_operation_")
    assert "Traceback" not in done.stderr


def test_the_sync_client_works_where_a_loop_is_running(settings_for, simulator):
    """As in a task of Airflow that is itself a coroutine."""
    operation_id = simulator.add_operation()

    async def inside() -> str:
        with CommsClient(settings_for(simulator)) as client:
            return client.get_operation("emails", operation_id).id

    assert asyncio.run(inside()) == operation_id


def test_clients_on_several_loops_at_once(settings_for, simulator):
    operation_id = simulator.add_operation()
    found = []

    async def one() -> None:
        async with AsyncCommsClient(settings_for(simulator)) as client:
            found.extend([(await client.get_operation("emails", operation_id)).id for _ in range(3)])

    threads = [threading.Thread(target=lambda: asyncio.run(one())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [operation_id] * 12


def test_the_loop_is_not_blocked_while_a_client_is_opened_and_answers_are_read(settings_for, simulator):
    simulator.seed("emails", 1000)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - began)

    async def work() -> None:
        watcher = asyncio.create_task(watch())
        async with AsyncCommsClient(settings_for(simulator)) as client:
            async for _ in client.list_operations("emails"):
                pass
        watcher.cancel()

    asyncio.run(work())
    assert longest < 0.5

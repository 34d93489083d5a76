"""Ends are handed over in batches, and each batch waits for the supervisor."""

from __future__ import annotations

import asyncio

from airflow_provider_comms.triggers.hand_over import HandOver, hand_over

BATCH = 3


class Supervisor:
    """Answers when it is told to."""

    def __init__(self):
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def ask(self):
        self.asked += 1
        await self.may_answer.wait()


def ends(hand_over, supervisor, number):
    """Let so many waits end at once; return the list of those that were handed over, as it grows."""
    passed = []

    async def end(one):
        await hand_over.turn(supervisor.ask)
        passed.append(one)

    return passed, [asyncio.create_task(end(one)) for one in range(number)]


async def turns(number=50):
    for _ in range(number):
        await asyncio.sleep(0)


def test_a_batch_passes_at_once_and_asks_nobody():
    async def check():
        supervisor = Supervisor()
        passed, _ = ends(HandOver(BATCH, pause=60), supervisor, BATCH)
        await turns()
        assert passed == [0, 1, 2]
        assert supervisor.asked == 0

    asyncio.run(check())


def test_the_next_batch_waits_for_the_supervisor_and_then_passes_in_order():
    async def check():
        supervisor = Supervisor()
        passed, tasks = ends(HandOver(BATCH, pause=0.02), supervisor, 2 * BATCH)
        await asyncio.sleep(0.1)
        assert passed == [0, 1, 2]
        assert supervisor.asked == 1

        supervisor.may_answer.set()
        await asyncio.gather(*tasks)
        assert passed == list(range(2 * BATCH))

    asyncio.run(check())


def test_a_supervisor_that_answers_at_once_is_given_its_pause():
    async def check():
        supervisor = Supervisor()
        supervisor.may_answer.set()
        begun = asyncio.get_running_loop().time()
        _, tasks = ends(HandOver(BATCH, pause=0.05), supervisor, 2 * BATCH + 1)
        await asyncio.gather(*tasks)
        assert asyncio.get_running_loop().time() - begun >= 0.1

    asyncio.run(check())


def test_ends_that_come_one_by_one_are_not_held_up():
    async def check():
        supervisor = Supervisor()
        held = HandOver(batch=1, pause=0.01)
        for _ in range(3):
            await asyncio.wait_for(held.turn(supervisor.ask), timeout=5)
            await asyncio.sleep(0.02)
        assert supervisor.asked == 0

    asyncio.run(check())


def test_an_answer_that_is_an_error_is_an_answer():
    async def fail():
        raise RuntimeError("no such connection")

    async def check():
        held = HandOver(batch=1, pause=0.01)
        for _ in range(3):
            await asyncio.wait_for(held.turn(fail), timeout=5)

    asyncio.run(check())


def test_who_is_cancelled_while_waiting_holds_up_nobody():
    async def check():
        supervisor = Supervisor()
        passed, tasks = ends(HandOver(BATCH, pause=0.01), supervisor, BATCH + 2)
        await asyncio.sleep(0.05)
        tasks[BATCH].cancel()
        supervisor.may_answer.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert passed == [0, 1, 2, 4]

    asyncio.run(check())


def test_all_triggers_of_a_loop_share_one():
    async def both():
        return hand_over(), hand_over()

    first, second = asyncio.run(both())
    assert first is second
    other, _ = asyncio.run(both())
    assert other is not first

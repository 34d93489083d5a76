"""A bounded number of ends is on its way to Airflow; one has arrived when nobody holds its task any more."""

from __future__ import annotations

import asyncio

from airflow_provider_comms.triggers.hand_over import HandOver, hand_over

MOST = 3


class Triggerer:
    """Holds its tasks until it collects those that are done, as Airflow's does."""

    def __init__(self, held):
        self._held = held
        self._tasks = {}
        self.passed = []

    def end(self, *numbers):
        """Let waits end."""
        for number in numbers:
            self._tasks[number] = asyncio.create_task(self._end(number))

    async def _end(self, number):
        await self._held.turn()
        self.passed.append(number)

    def cancel(self, number):
        self._tasks[number].cancel()

    async def collect(self):
        """Let go of the tasks that are done."""
        await turns()
        self._tasks = {number: task for number, task in self._tasks.items() if not task.done()}
        await turns()


async def until_passed(triggerer, number):
    for _ in range(1000):
        if len(triggerer.passed) == number:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{number} have not passed, but {triggerer.passed}")


async def turns(number=50):
    for _ in range(number):
        await asyncio.sleep(0)


def with_triggerer(check, **options):
    async def run():
        await check(Triggerer(HandOver(MOST, **{"pause": 0, "max_wait": 60, **options})))

    asyncio.run(run())


def test_no_more_than_the_bound_pass_until_they_are_collected():
    async def check(triggerer):
        triggerer.end(*range(7))
        await turns()
        assert triggerer.passed == [0, 1, 2]

        await triggerer.collect()
        assert triggerer.passed == [0, 1, 2, 3, 4, 5]

        await triggerer.collect()
        assert triggerer.passed == list(range(7))

    with_triggerer(check)


def test_a_few_that_have_not_arrived_leave_room_for_others():
    async def check(triggerer):
        triggerer.end(0, 1)
        await turns()
        triggerer.end(2, 3)
        await turns()
        assert triggerer.passed == [0, 1, 2]

    with_triggerer(check)


def test_who_has_arrived_counts_for_a_while():
    async def check(triggerer):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        triggerer.end(*range(MOST + 1))
        await triggerer.collect()
        assert triggerer.passed == [0, 1, 2]

        await until_passed(triggerer, MOST + 1)
        assert loop.time() - begun >= 0.1

    with_triggerer(check, pause=0.1)


def test_none_is_held_back_for_good():
    async def check(triggerer):
        triggerer.end(*range(MOST + 2))
        await until_passed(triggerer, MOST + 2)

    with_triggerer(check, max_wait=0.02)


def test_who_is_cancelled_while_waiting_holds_up_nobody():
    async def check(triggerer):
        triggerer.end(*range(MOST + 2))
        await turns()
        triggerer.cancel(MOST)
        await triggerer.collect()
        assert triggerer.passed == [0, 1, 2, 4]

    with_triggerer(check)


def test_all_triggers_of_a_loop_share_one():
    async def both():
        return hand_over(), hand_over()

    first, second = asyncio.run(both())
    assert first is second
    other, _ = asyncio.run(both())
    assert other is not first

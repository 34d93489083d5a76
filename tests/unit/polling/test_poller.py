"""When the poller polls, and for whom; the scan is the test's own."""

from __future__ import annotations

import asyncio

from airflow_provider_comms.polling.poller import Poller

INTERVAL = 0.2


class MovingOperation:
    """What differs at each poll."""

    is_terminal = False


class SlowScan:
    """Tells of one id after the other, and takes as long as an interval for all of them."""

    def __init__(self, report):
        self._report = report
        self.polls = []

    async def fetch(self, ids, **_):
        self.polls.append(len(ids))
        for one in ids:
            await self._report({one: MovingOperation()})
            await asyncio.sleep(INTERVAL / len(ids))

    async def aclose(self):
        pass


async def wait(poller, one):
    known = {}
    while True:
        update = await poller.wait_for_update([one], known, due_in=INTERVAL, interval=INTERVAL, unchanged_for=0)
        known.update(update.found)


def test_those_told_early_in_a_long_poll_stay_in_step_with_those_told_at_its_end():
    scans = []

    def make_scan(report):
        scans.append(SlowScan(report))
        return scans[0]

    async def poll():
        poller = Poller(make_scan)
        tasks = [asyncio.create_task(poller.run())]
        tasks += [asyncio.create_task(wait(poller, str(number))) for number in range(8)]
        await asyncio.sleep(12 * INTERVAL)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(poll())

    assert len(scans[0].polls) >= 3
    assert set(scans[0].polls) == {8}

"""
One poll for all that wait on a connection and a resource.

Each wait says when its next poll is due. The poller polls when the first of them is due, for all that are due soon, so
that after a first round those of one interval are in step; it asks in the cheapest way (`StatusScan`), and tells a
wait as soon as there is something new for it. Where many end at once, more ends are near, and it polls again sooner.
It lives on the triggerer's event loop as long as somebody waits.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.polling.fetches import Found, Report
    from airflow_provider_comms.polling.status_scan import StatusScan

MAX_COALESCE = 1.0
"""Seconds that a poll waits for others to join it; a tenth of the interval if that is shorter."""
COALESCE_RATIO = 0.1
EARLY_RATIO = 0.5
"""Share of its interval by which a poll may come early to be taken together with others."""
BURST_RATIO = 0.1
"""Share of the waits polled for: if more have ended, the others are polled again after half an interval."""
NOTIFY_BATCH = 100
"""Waits that are told before the loop gets a turn for other things."""


@dataclass(frozen=True, slots=True)
class Update:
    """
    What a wait is told.

    :param found: by id the operation or the error in its place; empty if nothing is new, or none of its ids was asked.
    :param polls: how often was polled for it since its last update.
    """

    found: Mapping[str, Found]
    polls: int


@dataclass(eq=False, slots=True, kw_only=True)
class _Subscription:
    """What one wait wants to know, poll after poll, until there is something new or it wants to hear of nothing new."""

    ids: Sequence[str]
    known: Mapping[str, Operation]
    interval: float
    due: float
    deadline: float
    quiet_until: float
    update: asyncio.Future[Update]
    polls: int = 0
    unanswered: int = 0
    """Ids that the poll under way has not told of yet."""
    news: dict[str, Found] = field(default_factory=dict)

    @property
    def earliest(self) -> float:
        """Who knows nothing yet joins any poll: so those that begin at all times come into step."""
        return self.due - EARLY_RATIO * self.interval if self.known else -math.inf

    @property
    def is_last(self) -> bool:
        """Whether there will be no poll after the one that is due."""
        return self.deadline <= self.due + COALESCE_RATIO * self.interval

    def note(self, operation_id: str, found: Found) -> None:
        """Take in what was found; what has not changed is the object that the wait knows."""
        if found is not self.known.get(operation_id):
            self.news[operation_id] = found
        self.unanswered -= 1

    @property
    def has_ended(self) -> bool:
        """Whether all that is waited for has ended."""
        found = (self.news.get(one) or self.known.get(one) for one in self.ids)
        return all(one is not None and not isinstance(one, CommsError) and one.is_terminal for one in found)


class Poller:
    """
    Polls for all that wait. Times are those of the event loop, in seconds.

    :param make_scan: makes the scan that asks; it is given what to tell its findings.
    :param on_poll: told after each poll how many seconds it took; must be quick, and not raise.
    """

    def __init__(
        self, make_scan: Callable[[Report], StatusScan], on_poll: Callable[[float], None] = lambda _: None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._scan = make_scan(self._report)
        self._on_poll = on_poll
        self._subscriptions: dict[_Subscription, None] = {}
        self._of_id: defaultdict[str, list[_Subscription]] = defaultdict(list)
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._recent: dict[str, Operation] = {}
        """What was found since the latest poll began."""
        self._told = 0
        self._ended = 0
        self._many = 0.0
        self._soon = math.inf

    async def wait_for_update(
        self,
        ids: Sequence[str],
        known: Mapping[str, Operation],
        *,
        due_in: float,
        interval: float,
        unchanged_for: float,
        deadline_in: float = math.inf,
    ) -> Update:
        """
        Wait until a poll, when it is due or somewhat earlier together with others, or a later one, has something new.

        Errors are new each time. An update tells of several ids together as far as one poll answers them.

        :param ids: ids of operations.
        :param known: what the wait knows of them; it has to take over what it is told, as the very same objects.
        :param due_in: when the first poll is due, from now.
        :param interval: from a poll to the next one.
        :param unchanged_for: how long polls that show nothing new need not be told of; 0 to hear of each.
        :param deadline_in: when the wait is given up, from now: the last poll before is the more urgent.
        """
        if missed := self._missed(ids, known):
            return Update(missed, 0)
        now = self._loop.time()
        subscription = _Subscription(
            ids=list(dict.fromkeys(ids)),
            known=known,
            interval=interval,
            due=now + due_in,
            deadline=now + deadline_in,
            quiet_until=now + unchanged_for,
            update=self._loop.create_future(),
        )
        self._subscriptions[subscription] = None
        for one in subscription.ids:
            self._of_id[one].append(subscription)
        self._wake_at(subscription.due + min(MAX_COALESCE, COALESCE_RATIO * interval))
        try:
            return await subscription.update
        finally:
            self._remove(subscription)

    def _missed(self, ids: Sequence[str], known: Mapping[str, Operation]) -> dict[str, Found]:
        """Return what came in while the wait was away: it had been told of something else, or has just joined."""
        found = ((one, self._recent.get(one)) for one in ids)
        return {one: last for one, last in found if last is not None and last is not known.get(one)}

    async def run(self) -> None:
        """Poll whenever a poll is due, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._timer = None
            now = self._loop.time()
            due = [one for one in self._subscriptions if one.earliest <= now]
            self._ended, self._many = 0, BURST_RATIO * len(due)
            self._soon = math.inf
            if due:
                await self._poll(due)
            await asyncio.sleep(0)  # Those that were told of something else are about to come back.
            self._keep_in_step(now)
            if self._subscriptions:
                self._wake_at(min(one.due for one in self._subscriptions))
            self._soon = (EARLY_RATIO + COALESCE_RATIO) * min((one.interval for one in due), default=math.inf)
            self._wake_soon_if_many_ended()

    async def _report(self, found: Mapping[str, Found]) -> None:
        """Take in what was found, in a poll or some time after it, and tell those who wait for it."""
        for one, what in found.items():
            if not isinstance(what, CommsError):
                self._recent[one] = what
            for subscription in tuple(self._of_id.get(one, ())):
                subscription.note(one, what)
                if subscription.unanswered <= 0 and subscription.news:
                    await self._tell(subscription)

    async def tell_all(self, error: CommsError) -> None:
        """Tell all who wait of an error."""
        for subscription in self._subscriptions:
            subscription.unanswered = 0
        await self._report(dict.fromkeys(self._of_id, error))

    async def aclose(self) -> None:
        """Leave off what is under way."""
        await self._scan.aclose()

    async def _poll(self, due: list[_Subscription]) -> None:
        self._recent.clear()
        ids: list[str] = []
        urgent: set[str] = set()
        for subscription in due:
            subscription.unanswered = len(subscription.ids)
            subscription.polls += 1
            ids += subscription.ids
            if subscription.is_last:
                urgent.update(subscription.ids)
        began = self._loop.time()
        try:
            await self._scan.fetch(ids, keep=self._of_id.keys(), urgent=urgent)
        finally:  # Or cancelled, when the last wait has been told of its end.
            self._on_poll(self._loop.time() - began)
        await self._settle(due)

    async def _settle(self, due: list[_Subscription]) -> None:
        """The poll has told what it could: tell those who still have to hear of it, and plan the next one."""
        now = self._loop.time()
        for subscription in due:
            subscription.unanswered = 0
            subscription.due = now + subscription.interval
            if subscription.news or now >= subscription.quiet_until:
                await self._tell(subscription)

    def _keep_in_step(self, began: float) -> None:
        """Let those that were told early in a long poll wait as long for the next one as those told at its end."""
        now = self._loop.time()
        for one in self._subscriptions:
            if one.known and began + one.interval < one.due < now + one.interval:
                one.due = min(now + one.interval, one.deadline)

    async def _tell(self, subscription: _Subscription) -> None:
        if subscription.update.done():  # Its wait has left, or is about to come back.
            return
        self._ended += subscription.has_ended
        subscription.update.set_result(Update(subscription.news, subscription.polls))
        self._remove(subscription)
        self._told += 1
        self._wake_soon_if_many_ended()
        if not self._told % NOTIFY_BATCH:
            await asyncio.sleep(0)

    def _wake_soon_if_many_ended(self) -> None:
        """In a poll, and after it as long as answers come in that it has asked for."""
        if self._ended > self._many and self._soon < math.inf:
            self._wake_at(self._loop.time() + self._soon)

    def _remove(self, subscription: _Subscription) -> None:
        if subscription in self._subscriptions:
            del self._subscriptions[subscription]
            for one in subscription.ids:
                self._of_id[one].remove(subscription)
                if not self._of_id[one]:
                    del self._of_id[one]

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._wake.set)

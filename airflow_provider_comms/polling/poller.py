"""
One poll for all waits on a connection and a resource.

Each wait says when its next poll is due. The poller polls when the first of them is due, for all that are due soon, so
that waits with the same interval are in step after one round. It polls in the cheapest way (`StatusScan`) and updates a
wait as soon as there is something new for it. When many operations end at once, more are about to, so it polls again
sooner. It lives on the triggerer's event loop as long as there are waits.
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
"""Share of its interval by which a poll may come early to be combined with others."""
BURST_RATIO = 0.1
"""Share of the waits polled: if more have ended, the rest are polled again after half an interval."""
NOTIFY_BATCH = 100
"""Waits updated before other tasks of the loop get a turn."""


@dataclass(frozen=True, slots=True)
class Update:
    """
    What a poll has found for a wait.

    :param found: by id the operation or the error in its place; empty if nothing is new, or none of its ids was polled.
    :param polls: how many polls there were since its last update.
    """

    found: Mapping[str, Found]
    polls: int


@dataclass(eq=False, slots=True, kw_only=True)
class _Subscription:
    """What one wait asks for, poll after poll, until there is something new or it has been silent for long enough."""

    ids: Sequence[str]
    known: Mapping[str, Operation]
    interval: float
    due: float
    deadline: float
    quiet_until: float
    update: asyncio.Future[Update]
    polls: int = 0
    unanswered: int = 0
    """Ids that the current poll has not reported yet."""
    new: dict[str, Found] = field(default_factory=dict)

    @property
    def earliest(self) -> float:
        """A wait that knows nothing yet joins any poll; so waits that begin at different times get in step."""
        return self.due - EARLY_RATIO * self.interval if self.known else -math.inf

    @property
    def is_last(self) -> bool:
        """Whether there will be no poll after the one that is due."""
        return self.deadline <= self.due + COALESCE_RATIO * self.interval

    def note(self, operation_id: str, found: Found) -> None:
        """Take in what was found; what has not changed is the object that the wait knows."""
        if found is not self.known.get(operation_id):
            self.new[operation_id] = found
        self.unanswered -= 1

    @property
    def has_ended(self) -> bool:
        """Whether all that is waited for has ended."""
        found = (self.new.get(one) or self.known.get(one) for one in self.ids)
        return all(one is not None and not isinstance(one, CommsError) and one.is_terminal for one in found)


class Poller:
    """
    Polls for all that wait. Times are those of the event loop, in seconds.

    :param make_scan: makes the scan; it is given the function to report to.
    :param on_poll: called after each poll with the seconds it took; must be quick, and not raise.
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
        self._updated = 0
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

        Errors count as new each time. Ids that one poll answers are in one update.

        :param ids: ids of operations.
        :param known: what the wait knows of them; it must keep the very objects of each update here.
        :param due_in: when the first poll is due, from now.
        :param interval: from a poll to the next one.
        :param unchanged_for: seconds for which polls that show nothing new need no update; 0 for an update after each.
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
        """Return what was found while the wait was away: handling another update, or not here yet."""
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
            await asyncio.sleep(0)  # Waits that got another update are about to come back.
            self._keep_in_step(now)
            if self._subscriptions:
                self._wake_at(min(one.due for one in self._subscriptions))
            self._soon = (EARLY_RATIO + COALESCE_RATIO) * min((one.interval for one in due), default=math.inf)
            self._wake_soon_if_many_ended()

    async def _report(self, found: Mapping[str, Found]) -> None:
        """Take in what was found, in a poll or some time after it, and update the waits concerned."""
        for one, what in found.items():
            if not isinstance(what, CommsError):
                self._recent[one] = what
            for subscription in tuple(self._of_id.get(one, ())):
                subscription.note(one, what)
                if subscription.unanswered <= 0 and subscription.new:
                    await self._update(subscription)

    async def report_to_all(self, error: CommsError) -> None:
        """Report an error to all waits."""
        for subscription in self._subscriptions:
            subscription.unanswered = 0
        await self._report(dict.fromkeys(self._of_id, error))

    async def aclose(self) -> None:
        """Cancel the requests in flight."""
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
        finally:  # Or cancelled, once the last wait has its end.
            self._on_poll(self._loop.time() - began)
        await self._settle(due)

    async def _settle(self, due: list[_Subscription]) -> None:
        """The poll has reported what it could: send the updates that are left, and plan the next poll."""
        now = self._loop.time()
        for subscription in due:
            subscription.unanswered = 0
            subscription.due = now + subscription.interval
            if subscription.new or now >= subscription.quiet_until:
                await self._update(subscription)

    def _keep_in_step(self, began: float) -> None:
        """Let waits updated early in a long poll wait as long for the next one as those updated at its end."""
        now = self._loop.time()
        for one in self._subscriptions:
            if one.known and began + one.interval < one.due < now + one.interval:
                one.due = min(now + one.interval, one.deadline)

    async def _update(self, subscription: _Subscription) -> None:
        if subscription.update.done():  # Its wait has left, or is handling another update.
            return
        self._ended += subscription.has_ended
        subscription.update.set_result(Update(subscription.new, subscription.polls))
        self._remove(subscription)
        self._updated += 1
        self._wake_soon_if_many_ended()
        if not self._updated % NOTIFY_BATCH:
            await asyncio.sleep(0)

    def _wake_soon_if_many_ended(self) -> None:
        """During a poll, and after it while late answers come in."""
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

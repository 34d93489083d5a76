"""
One poll for all that wait on a connection and a resource.

Each wait says when its next look is due. The poller looks when the first of them is due, for all whose look is due
soon, so that after a first round those of one interval are in step; it looks in the cheapest way (`StatusScan`), and
wakes a wait only when there is news for it. Where many end at once, more ends are near, and it looks again sooner.
It lives on the triggerer's event loop as long as somebody waits.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_provider_comms.comms.errors import CommsError, are_credentials_refused
from airflow_provider_comms.polling.clients import SharedClient, shared_client
from airflow_provider_comms.polling.status_scan import StatusScan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.polling.clients import ReadSettings

    Seen = dict[str, Operation | CommsError]

log = logging.getLogger(__name__)

MAX_COALESCE = 1.0
"""Seconds that a look waits for others to join it; a tenth of the interval if that is shorter."""
COALESCE_RATIO = 0.1
SOON = 0.5
"""Share of its interval by which a look may come early to be taken together with others."""
MANY = 0.1
"""Share of the waits looked for: if more have ended, the others are looked at again after half an interval."""
NOTIFY_BATCH = 100
"""Waits that are told before the loop gets a turn for other things."""


@dataclass(eq=False, slots=True, kw_only=True)
class _Subscription:
    """What one wait wants to see, look after look, until there is news or it wants to hear of none."""

    ids: Sequence[str]
    known: Mapping[str, Operation]
    interval: float
    due: float
    quiet_until: float
    news: asyncio.Future[Seen]
    looks: int = 0

    @property
    def earliest(self) -> float:
        """Who has seen nothing yet joins any look: so those that begin at all times come into step."""
        return self.due - SOON * self.interval if self.known else -math.inf

    def is_news(self, seen: Seen) -> bool:
        """Whether anything differs from what the wait knows; a survey gives what has not changed as the same object."""
        for one in self.ids:  # noqa: SIM110  (this is what a wait costs in a poll, and a loop costs less)
            if one in seen and seen[one] is not self.known.get(one):
                return True
        return False

    def has_ended(self, seen: Seen) -> bool:
        """Whether all that is waited for has ended."""
        found = map(seen.get, self.ids)
        return all(one is not None and not isinstance(one, CommsError) and one.is_terminal for one in found)


@dataclass(frozen=True, slots=True)
class Update:
    """
    What a wait hears.

    :param seen: by id the operation or the error in its place; empty if none of its ids had its turn.
    :param looks: how often was looked for it.
    """

    seen: Seen
    looks: int


class Poller:
    """
    Looks for all that wait. Times are those of the event loop, in seconds.

    :param survey: sees many operations at the least cost.
    :param renew: called where credentials were refused; says whether it gave the survey better ones.
    """

    def __init__(self, survey: StatusScan, renew: Callable[[], Awaitable[bool]]) -> None:
        self._survey = survey
        self._renew = renew
        self._loop = asyncio.get_running_loop()
        self._looks: set[_Subscription] = set()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    async def news(
        self,
        ids: Sequence[str],
        known: Mapping[str, Operation],
        *,
        due_in: float,
        interval: float,
        unchanged_for: float,
    ) -> Update:
        """
        Look when it is due, or somewhat earlier together with others, and again until there is news.

        :param ids: ids of operations.
        :param known: what the wait has seen of them.
        :param due_in: when the first look is due, from now.
        :param interval: from a look to the next one.
        :param unchanged_for: how long a look that shows nothing new need not be told of; 0 to hear of each.
        """
        now = self._loop.time()
        look = _Subscription(
            ids=ids,
            known=known,
            interval=interval,
            due=now + due_in,
            quiet_until=now + unchanged_for,
            news=self._loop.create_future(),
        )
        self._looks.add(look)
        self._wake_at(look.due + min(MAX_COALESCE, COALESCE_RATIO * interval))
        try:
            return Update(await look.news, look.looks)
        finally:
            self._looks.discard(look)

    async def run(self) -> None:
        """Look whenever a look is due, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._timer = None
            now = self._loop.time()
            looks = [look for look in self._looks if look.earliest <= now]
            many_ended = await self._look_for(looks)
            if self._looks:
                self._wake_at(min(look.due for look in self._looks))
            if many_ended:
                await asyncio.sleep(0)  # Those that were told of something else are about to come back.
                self._wake_at(self._loop.time() + SOON * min(look.interval for look in looks))

    async def _look_for(self, looks: list[_Subscription]) -> bool:
        """Look, tell, and say whether so many have ended that others are likely to follow soon."""
        try:
            seen = await self._see([one for look in looks for one in look.ids])
            await asyncio.sleep(0)
        except Exception as error:
            # Whatever it is, the waits must hear of it: a poller that dies in silence would hang them all.
            log.exception("The poll failed.")
            for look in looks:
                if not look.news.done():
                    look.news.set_exception(error)
            return False
        ended = 0
        for number, look in enumerate(looks, 1):
            ended += self._tell(look, seen)
            if number % NOTIFY_BATCH == 0:
                await asyncio.sleep(0)
        return ended > MANY * len(looks)

    async def _see(self, ids: Sequence[str]) -> Seen:
        seen = await self._survey.see(ids, self._all_ids())
        if are_credentials_refused(seen.values()) and await self._renew():
            seen = await self._survey.see(ids, self._all_ids())
        return seen

    def _all_ids(self) -> Iterator[str]:
        """Give what all waits wait for; gone through only where the survey is about to forget something."""
        return (one for look in self._looks for one in look.ids)

    def _tell(self, look: _Subscription, seen: Seen) -> bool:
        """Tell a wait, if there is news; say whether its end was it."""
        look.looks += 1
        now = self._loop.time()
        if look.news.done():  # Its wait has left.
            self._looks.discard(look)
        elif now >= look.quiet_until or look.is_news(seen):
            self._looks.discard(look)
            look.news.set_result({one: seen[one] for one in look.ids if one in seen})
            return look.has_ended(seen)
        else:
            look.due = now + look.interval
        return False

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._wake.set)


@dataclass
class _Shared:
    poller: Poller
    task: asyncio.Task[None]
    users: int = 0


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], _Shared]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_poller(comms_conn_id: str, resource: Resource, read_settings: ReadSettings) -> AsyncIterator[Poller]:
    """
    Give the poller of a connection and resource; the first user starts it, the last one ends it.

    :param comms_conn_id: id of the Airflow connection.
    :param resource: what is waited for.
    :param read_settings: reads the connection; what it raises at the first reading is raised here.
    """
    async with shared_client(comms_conn_id, read_settings) as shared_by_all:
        pollers = _shared.setdefault(asyncio.get_running_loop(), {})
        key = (comms_conn_id, resource.value)
        if key not in pollers:
            pollers[key] = _start(_poller(shared_by_all, resource))
        shared = pollers[key]
        shared.users += 1
        try:
            yield shared.poller
        finally:
            shared.users -= 1
            if not shared.users:
                del pollers[key]
                shared.task.cancel()
                await asyncio.gather(shared.task, return_exceptions=True)


def _poller(shared: SharedClient, resource: Resource) -> Poller:
    survey = StatusScan(shared.client, resource)

    async def renew() -> bool:
        renewed = await shared.renew(survey.client)
        survey.client = shared.client
        return renewed

    return Poller(survey, renew)


def _start(poller: Poller) -> _Shared:
    # In a context of its own: else its log lines would land in the log of the task that happened to be first.
    return _Shared(poller, asyncio.create_task(poller.run(), context=contextvars.Context()))

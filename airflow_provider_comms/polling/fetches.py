"""
Operations fetched one by one: each is reported once answered, and the longest waiting goes first.

An operation that fails while others are answered is fetched beside the others from then on, a few such operations at a
time, until it is answered again. So is a slow one: it gives up its place if others need it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.errors import CommsArgumentError, CommsError, CommsRateLimitError
from airflow_provider_comms.polling.errors import NotPolledError, is_common, is_refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping

    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.polling.clients import SharedClient
    from airflow_provider_comms.polling.limits import PollLimits

    Found = Operation | CommsError
    Report = Callable[[Mapping[str, Found]], Awaitable[None]]

log = logging.getLogger(__name__)

FAILING_SHARE = 4
"""One in this many concurrent requests may be for a failing operation."""
SLOW_RATIO = 3.0
"""A fetch is slow if it takes this many times as long as the last one that was answered, and longer than a limit."""
FAILURES_IN_A_ROW = 2
"""Times the number of probes: this many failures in a row end a round that began well."""


@dataclass(eq=False, slots=True)
class Round:
    """
    The results of a round of fetches, as far as they are known.

    :param is_up: whether the API has given a usable answer; from then on an error concerns one operation only.
    :param urgent: ids for which it is the last chance.
    :param asked: ids requested so far.
    :param errors: by id, errors that may affect all operations, before any operation was answered.
    :param slow: ids that gave up their places because no answer came soon.
    """

    is_up: bool
    urgent: Collection[str]
    asked: set[str] = field(default_factory=set)
    errors: dict[str, CommsError] = field(default_factory=dict)
    slow: list[str] = field(default_factory=list)
    in_a_row: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether all requests were refused, in a way that does not pass by itself."""
        return bool(self.errors) and all(map(is_refusal, self.errors.values()))

    @property
    def outage(self) -> CommsError | None:
        """Return the latest error if every request failed; None if any was answered."""
        return None if self.is_up or not self.errors else next(reversed(self.errors.values()))


@dataclass(frozen=True, slots=True)
class _Sent:
    """For which operation a fetch was sent, and when."""

    id: str
    at: float


class Fetcher:
    """
    Fetches operations of one resource.

    :param clients: the connection's client.
    :param resource: "emails" or "messages".
    :param report: called with each operation, or the error in its place, as soon as it is answered.
    """

    def __init__(self, clients: SharedClient, resource: Resource, report: Report, limits: PollLimits) -> None:
        self._clients = clients
        self._resource = resource
        self._report = report
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._in_flight: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        self._last_asked: dict[str, int] = {}
        self._failing: dict[str, float] = {}
        self._failing_queue: deque[str] = deque()
        self._failing_workers = 0
        self._latest_took = 0.0

    async def fetch(
        self, ids: Iterable[str], *, is_up: bool, probes: int, at_most: int, urgent: Collection[str] = ()
    ) -> Round:
        """
        Fetch operations. Return when there is nothing more to send; late answers are reported later.

        :param ids: ids; left out are those in flight, and those whose Retry-After has not passed.
        :param is_up: whether the API is known to answer.
        :param probes: if it is not, how many requests go ahead; the others follow as soon as one of them is answered. A
            slow probe is replaced by another.
        :param at_most: how many to fetch.
        :param urgent: ids to fetch first, even if the API has throttled the connection.
        """
        round_ = Round(is_up, urgent)
        healthy, failing = self._in_order(ids, urgent)
        if not healthy and not is_up:
            healthy, failing = failing, []
        await self._send(deque(healthy), round_, probes, at_most)
        if round_.is_up:
            self._ask_failing([*failing, *round_.slow], round_)
        return round_

    async def _send(self, queue: deque[str], round_: Round, probes: int, at_most: int) -> None:
        running: dict[asyncio.Task[None], _Sent] = {}
        begun = self._loop.time()
        give_up = FAILURES_IN_A_ROW * self._limits.probes
        while queue and round_.in_a_row < give_up:
            limit, seconds = (at_most, self._limits.sending) if round_.is_up else (probes, self._limits.request_timeout)
            if self._loop.time() >= begun + seconds:
                break
            room = min(self._clients.max_in_flight - len(running), limit - len(round_.asked))
            for one in (queue.popleft() for _ in range(min(room, len(queue)))):
                running[self._start(one, round_)] = _Sent(one, self._loop.time())
            if not running or (round_.is_up and len(round_.asked) >= at_most):
                break
            await asyncio.wait(running, timeout=self._slow_after / 2, return_when=asyncio.FIRST_COMPLETED)
            running = {task: sent for task, sent in running.items() if not task.done()}
            await self._end_slow(running, round_)
        while running and not round_.is_up:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            running = {task: sent for task, sent in running.items() if not task.done()}

    @property
    def _slow_after(self) -> float:
        return max(self._limits.slow_after, SLOW_RATIO * self._latest_took)

    async def _end_slow(self, running: dict[asyncio.Task[None], _Sent], round_: Round) -> None:
        """
        Let slow fetches make room for others, except the oldest few: they tell a slow API from one that is down.

        While the throttle paces requests, a long one means nothing.
        """
        if self._clients.is_paced:
            return
        kept = max(1, len(running) // FAILING_SHARE)
        before = self._loop.time() - self._slow_after
        late = [(task, sent.id) for task, sent in list(running.items())[kept:] if sent.at <= before]
        slow = {task: one for task, one in late if one in self._in_flight}  # Not those that are being reported.
        for task in slow:
            task.cancel()
        if slow:
            await asyncio.wait(slow)
        for task, one in slow.items():
            del running[task]
            if task.cancelled():
                round_.asked.discard(one)
                round_.slow.append(one)
        if round_.is_up:
            self._note_slow(round_)

    def __len__(self) -> int:
        return len(self._last_asked)

    def forget_all_but(self, kept: Collection[str]) -> None:
        """Forget what is known of other operations."""
        self._last_asked = {one: when for one, when in self._last_asked.items() if one in kept}
        self._failing = {one: when for one, when in self._failing.items() if one in kept}

    def was_asked(self, operation_id: str) -> bool:
        """Whether an operation was ever fetched."""
        return operation_id in self._last_asked

    async def aclose(self) -> None:
        """Cancel all fetches in flight."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _in_order(self, ids: Iterable[str], urgent: Collection[str]) -> tuple[list[str], list[str]]:
        """Return the ids to fetch now, healthy ones and failing ones; the one that has waited longest comes first."""
        now = self._loop.time()
        healthy, failing = [], []
        for one in ids:
            if one not in self._in_flight:
                if one not in self._failing:
                    healthy.append(one)
                elif self._failing[one] <= now or one in urgent:
                    failing.append(one)

        def order(one: str) -> tuple[bool, int]:
            return one not in urgent, self._last_asked.get(one, 0)

        return sorted(healthy, key=order), sorted(failing, key=order)

    def _start(self, operation_id: str, round_: Round) -> asyncio.Task[None]:
        self._in_flight.add(operation_id)
        self._count += 1
        self._last_asked[operation_id] = self._count
        round_.asked.add(operation_id)
        return self._task(self._ask(operation_id, round_))

    def _task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A fetch could not be reported.", exc_info=error)

    def _ask_failing(self, ids: list[str], round_: Round) -> None:
        self._failing_queue = deque(ids[: self._limits.failing_fetches])
        workers = min(len(self._failing_queue), max(1, self._clients.max_in_flight // FAILING_SHARE))
        for _ in range(workers - self._failing_workers):
            self._failing_workers += 1
            self._task(self._work_off(round_))

    async def _work_off(self, round_: Round) -> None:
        try:
            while self._failing_queue:
                if (one := self._failing_queue.popleft()) not in self._in_flight:
                    await self._start(one, round_)
        finally:
            self._failing_workers -= 1

    async def _ask(self, operation_id: str, round_: Round) -> None:
        begun = self._loop.time()
        try:
            found = await self._get(operation_id, last_chance=operation_id in round_.urgent)
        finally:
            self._in_flight.discard(operation_id)
        if not isinstance(found, CommsError):
            self._latest_took = self._loop.time() - begun
        self._note(operation_id, found, round_)
        await self._report({operation_id: found})

    async def _get(self, operation_id: str, *, last_chance: bool) -> Found:
        async def get(client: AsyncCommsClient) -> Operation:
            if last_chance:
                client = client.with_options(last_chance=True)
            return await client.get_operation(self._resource, operation_id)

        try:
            return await self._clients.ask(get)
        except CommsError as error:
            return error
        except Exception as error:
            log.exception("A fetch failed unexpectedly. (%s)", operation_id)
            return NotPolledError(f"The fetch failed unexpectedly: {type(error).__name__}; see the triggerer's log.")

    def _note(self, operation_id: str, found: Found, round_: Round) -> None:
        """Tell an error of this operation from one that may affect all."""
        if isinstance(found, CommsArgumentError):  # Nothing was sent, so it says nothing about the API.
            round_.asked.discard(operation_id)
        elif isinstance(found, CommsError) and is_common(found):
            round_.errors[operation_id] = found
            round_.in_a_row += not is_refusal(found)
        else:
            round_.is_up = True
            round_.in_a_row = 0
            self._note_answer(operation_id, found)
            self._note_slow(round_)
        if round_.is_up and round_.errors:
            self._note_failing(round_.errors)
            round_.errors.clear()

    def _note_answer(self, operation_id: str, found: Found) -> None:
        if isinstance(found, CommsError):
            self._failing[operation_id] = -math.inf
        else:
            self._failing.pop(operation_id, None)

    def _note_slow(self, round_: Round) -> None:
        self._failing.update(dict.fromkeys(round_.slow, -math.inf))

    def _note_failing(self, errors: Mapping[str, CommsError]) -> None:
        now = self._loop.time()
        for one, error in errors.items():
            # A throttled request was not sent: no operation is to blame.
            if not isinstance(error, CommsRateLimitError) or error.context.status:
                self._failing[one] = now + (error.retry_after or 0.0)

"""Worlds in which to wait: an API that may do anything, operations, and a fleet of waits that join and leave."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsError, CommsRecordError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.settings import ClientSettings
from airflow_provider_comms.polling.limits import PollLimits
from airflow_provider_comms.polling.shared import shared_poller
from tests.integration.polling.fake_api import HANG, RESET, Asked, Told, serving

if TYPE_CHECKING:
    from airflow_provider_comms.polling.poller import Poller

INTERVAL = 0.05
PAGE = 8
LIMITS = PollLimits(
    request_timeout=0.6,
    throttled_for=0.3,
    sending=1.0,
    slow_after=0.1,
    list_base=1.0,
    list_page=0.05,
    reread_on_join=0.0,
    reread_in_outage=0.1,
    read_timeout=0.3,
    restart_after=0.1,
    fetches=12,
    fetches_once=4,
    probes=3,
    failing_fetches=4,
    empty_pages=3,
    relist_after=3,
    check_within=4,
    check_rest=1,
)
PATIENCE = 40.0
"""Seconds in which every healthy wait must have ended; a healthy world takes one or two."""

ODD = st.sampled_from(
    [
        {"updatedAt": None},
        {"createdAt": None},
        {"createdAt": "soon"},
        {"createdAt": 10**30},
        {"stats": None},
        {"stats": {"delivered": "many"}},
        {"stats": {"delivered": 1.5}},
        {"status": None},
        {"status": {}},
        {"id": None},
        {"id": 7},
    ]
)
STRANGE = st.sampled_from(
    [
        {},
        {"createdAt": "0001-01-01T00:00:00Z"},
        {"createdAt": "9999-12-31T23:59:59-14:00"},
        {"createdAt": "2001-01-01T00:00:00Z"},
        {"updatedAt": "9999-12-31T23:59:59Z"},
        {"updatedAt": "0001-01-01T00:00:00+14:00"},
        {"stats": {}},
        {"stats": {"total": 10**40}},
        {"snoozed": [1, {"a": None}]},
    ]
)
"""Fields that can be read all the same."""
HTML = Told(body=b"<html>Please log in</html>", headers={"X-Portal": "yes"})
RETRY_AFTER = st.sampled_from([{}, {"Retry-After": "0"}, {"Retry-After": "3600"}, {"Retry-After": "soon"}])
REFUSALS = st.builds(
    lambda status, headers: Told(status, {"code": 20000 + status, "message": "No."}, headers),
    st.sampled_from([400, 401, 403, 404, 410, 418, 500, 502, 503, 504]),
    RETRY_AFTER,
)
NONSENSE = st.sampled_from(
    [HTML, Told(body=b'{"operations": [{'), Told(body=[]), Told(body=None), Told(body=b""), Told(204), Told(302)]
)
ODD_PAGES = st.sampled_from(
    [Told(body={}), Told(body={"operations": {}}), Told(body={"operations": [], "pagination": 7})]
)
FETCH_FAULTS = st.one_of(REFUSALS, NONSENSE, st.just(HANG), st.just(RESET))
LIST_FAULTS = st.one_of(REFUSALS, NONSENSE, ODD_PAGES, st.just(HANG), st.just(RESET))


@dataclass(frozen=True)
class Op:
    """
    An operation.

    :param ends: seconds after which it has ended.
    :param odd: fields that stand in its record: in lists, and if it is not healthy in fetches too.
    :param fault: what fetches of it meet; None if it is healthy.
    :param fault_ends: seconds after which they do not any more; None for never.
    :param hidden: lists do not show it.
    :param stuck: lists show it as pending although it has ended.
    """

    ends: float
    status: str
    odd: dict[str, Any]
    odd_in_fetches: dict[str, Any]
    fault: Any
    fault_ends: float | None
    hidden: bool
    stuck: bool

    @property
    def is_healthy(self) -> bool:
        return not self.odd_in_fetches and (self.fault is None or self.fault_ends is not None)


@dataclass(frozen=True)
class Fleet:
    """A wait: for which operations, when it joins, and when it leaves (None: at its end)."""

    of: tuple[int, ...]
    joins: float
    leaves: float | None


@dataclass(frozen=True)
class World:
    """
    :param list_fault: what lists meet, from and until when, and from which page on.
    :param endless: lists go on with empty pages, strangers or repeated ones.
    :param strangers: operations of others on each list.
    :param outage: what all requests meet, from and until when.
    :param rotates: seconds after which the password is another one; None for never.
    :param rereading: what reading the connection again raises, if anything.
    :param killed: seconds after which the poller's task is cancelled by somebody; None for never.
    """

    ops: tuple[Op, ...]
    waits: tuple[Fleet, ...]
    list_fault: Any
    list_fault_until: float | None
    list_fault_page: int
    endless: str | None
    strangers: int
    list_delay: float
    outage: Any
    outage_at: tuple[float, float]
    rotates: float | None
    rereading: Any
    killed: float | None


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def _may_pass(told: Any) -> bool:
    """Whether a wait alone would go on, and not for long."""
    return told in (HANG, RESET) or (told.status >= 500 and told.headers.get("Retry-After") != "3600")


SOON = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.3, 0.5])
HEALTHY = st.builds(
    Op,
    ends=SOON,
    status=st.sampled_from(["COMPLETED", "CANCELED"]),
    odd=st.one_of(st.just({}), STRANGE, ODD),
    odd_in_fetches=st.just({}),
    fault=_maybe(FETCH_FAULTS.filter(_may_pass)),
    fault_ends=SOON,
    hidden=st.booleans(),
    stuck=st.booleans(),
)
ILL = st.builds(
    Op,
    ends=SOON,
    status=st.just("COMPLETED"),
    odd=st.one_of(st.just({}), ODD),
    odd_in_fetches=st.one_of(st.just({}), ODD),
    fault=_maybe(FETCH_FAULTS),
    fault_ends=st.none(),
    hidden=st.booleans(),
    stuck=st.booleans(),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world."""
    groups = draw(st.lists(st.tuples(st.one_of(HEALTHY, HEALTHY, ILL), st.integers(1, 12)), min_size=1, max_size=4))
    ops = tuple(op for op, number in groups for _ in range(number))
    stagger, leavers = draw(st.sampled_from([0.0, 0.01, 0.03])), draw(st.sampled_from([0, 0, 2, 5]))
    own = [
        Fleet((number,), number * stagger, 0.2 if leavers and number % leavers == 0 else None)
        for number in range(len(ops))
    ]
    of = st.lists(st.integers(0, len(ops) - 1), min_size=1, max_size=4, unique=True).map(tuple)
    shared = draw(st.lists(st.builds(Fleet, of, SOON, _maybe(SOON)), max_size=2))
    return World(
        ops=ops,
        waits=(*own, *shared),
        list_fault=draw(_maybe(LIST_FAULTS)),
        list_fault_until=draw(_maybe(SOON)),
        list_fault_page=draw(st.integers(0, 2)),
        endless=draw(st.sampled_from([None, None, None, "empty", "strangers", "repeated"])),
        strangers=draw(st.sampled_from([0, 0, 3, 50])),
        list_delay=draw(st.sampled_from([0.0, 0.0, 0.02, 0.2])),
        outage=draw(
            _maybe(st.one_of(st.just(HANG), st.just(RESET), st.just(HTML), st.just(Told(503)), st.just(Told(429))))
        ),
        outage_at=tuple(sorted((draw(SOON), draw(SOON)))),
        rotates=draw(_maybe(SOON)),
        rereading=draw(st.sampled_from([None, None, TimeoutError("secrets"), RuntimeError("secrets"), HANG])),
        killed=draw(_maybe(SOON)),
    )


@dataclass
class Api:
    """Plays a world."""

    world: World
    began: float = field(default_factory=time.monotonic)
    requests: int = 0
    tokens: Any = field(default_factory=count)
    created: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(minutes=5))

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    @property
    def password(self) -> str:
        return "new" if self.world.rotates is not None and self.now >= self.world.rotates else "old"

    def id_of(self, number: int) -> str:
        return f"comms_operation_01h9krwprkeee8fzqspvw{number:05}"

    def answer(self, asked: Asked) -> Any:
        self.requests += 1
        begins, ends = self.world.outage_at
        if self.world.outage and begins <= self.now < ends:
            return self.world.outage
        if b64encode(f"ACtest:{self.password}".encode()).decode() not in asked.authorization:
            return Told(401, {"code": 20003, "message": "Authenticate"})
        return self._list(asked) if asked.operation_id is None else self._fetch(asked.operation_id)

    def _fetch(self, operation_id: str) -> Any:
        number = int(operation_id[-5:])
        op = self.world.ops[number]
        if op.fault and (op.fault_ends is None or self.now < op.fault_ends):
            return op.fault
        return Told(body=self._record(number) | op.odd_in_fetches)

    def _record(self, number: int, *, listed: bool = False) -> dict[str, Any]:
        op = self.world.ops[number]
        has_ended = self.now >= op.ends and not (listed and op.stuck)
        created = self.created + timedelta(milliseconds=number)
        return {
            "id": self.id_of(number),
            "status": op.status if has_ended else "PROCESSING",
            "stats": {"total": 10, "delivered": 10 if has_ended else 0 if op.stuck else int(self.now * 10)},
            "createdAt": created.isoformat(),
            "updatedAt": (created + timedelta(seconds=int(self.now * 20))).isoformat(),
        }

    def _list(self, asked: Asked) -> Any:
        page = int(asked.query.get("pageToken", "0").split("-")[0])
        world = self.world
        until = world.list_fault_until
        if world.list_fault and page >= world.list_fault_page and (until is None or self.now < until):
            return world.list_fault
        records = [self._record(n, listed=True) | op.odd for n, op in enumerate(world.ops) if not op.hidden]
        strangers = [{**self._stranger(), "id": f"comms_operation_9{n:025}"} for n in range(world.strangers)]
        shown = [one for one in strangers + records if one["status"] == asked.query.get("status", one["status"])]
        part = shown[page * PAGE : (page + 1) * PAGE]
        more = (page + 1) * PAGE < len(shown)
        if not part and world.endless == "strangers":
            part = [{**self._stranger(), "id": f"comms_operation_8{page:06}{n:019}"} for n in range(PAGE)]
        token = f"{page if world.endless == 'repeated' else page + 1}-{next(self.tokens)}"
        return Told(
            body={"operations": part, "pagination": {"next": token if more or world.endless else None}},
            after=world.list_delay,
        )

    def _stranger(self) -> dict[str, Any]:
        return {
            "status": "PROCESSING",
            "stats": {},
            "createdAt": self.created.isoformat(),
            "updatedAt": self.created.isoformat(),
        }


@dataclass
class Outcome:
    """
    What became of a wait.

    :param found: what it last heard of each id.
    :param polls: how often was polled for it.
    :param left: whether it left before its end.
    """

    fleet: Fleet
    found: dict[str, Any]
    polls: int
    left: bool
    heard: set[str]


async def live(world: World) -> tuple[Api, list[Outcome], float]:
    """Let all waits of a world run to their ends; return them, and the longest time for which the loop was held."""
    api = Api(world)
    reads = count()

    async def read_settings() -> ClientSettings:
        if next(reads) and world.rereading is not None and api.now < 1.0:
            if world.rereading is HANG:
                await asyncio.Event().wait()
            raise type(world.rereading)(*world.rereading.args)
        return ClientSettings(username="ACtest", password=api.password, base_url=url)

    async with serving(api.answer) as url:
        api.began = time.monotonic()
        held: list[float] = [0.0]
        watch = asyncio.create_task(_watch(held))
        killer = asyncio.create_task(_kill(world, url))
        waits = [asyncio.create_task(_wait(api, fleet, url, read_settings)) for fleet in world.waits]
        try:
            outcomes = list(await asyncio.gather(*waits))
        finally:
            for task in (watch, killer, *waits):
                task.cancel()
            await asyncio.gather(watch, killer, *waits, return_exceptions=True)
    return api, outcomes, max(held)


async def _watch(held: list[float]) -> None:
    """Note CPU seconds between two turns: another process on this machine does not count."""
    while True:
        before = time.thread_time()
        await asyncio.sleep(0)
        held.append(time.thread_time() - before)
        del held[:-1], before
        await asyncio.sleep(0.01)


async def _kill(world: World, url: str) -> None:
    if world.killed is not None:
        await asyncio.sleep(world.killed)
        for task in asyncio.all_tasks():
            if task.get_name() == f"poll {url} emails":
                task.cancel()


async def _wait(api: Api, fleet: Fleet, url: str, read_settings: Any) -> Outcome:
    ids = [api.id_of(number) for number in fleet.of]
    outcome = Outcome(fleet, {}, 0, left=False, heard=set())
    healthy = all(api.world.ops[number].is_healthy for number in fleet.of)
    leaves = fleet.leaves if fleet.leaves is not None else PATIENCE if healthy else 1.0
    await asyncio.sleep(fleet.joins)
    try:
        async with asyncio.timeout(leaves) as deadline, AsyncExitStack() as stack:
            poller = await _join(stack, url, read_settings)
            await _until_ended(poller, ids, outcome)
    except TimeoutError:
        if not deadline.expired():
            raise
        outcome.left = True
    return outcome


async def _join(stack: AsyncExitStack, url: str, read_settings: Any) -> Poller:
    """Join the poll. Who is the first has to hear of a connection that cannot be read, and tries again here."""
    while True:
        try:
            return await stack.enter_async_context(shared_poller(url, Resource.EMAILS, read_settings, LIMITS))
        except (TimeoutError, RuntimeError):
            await asyncio.sleep(INTERVAL)


async def _until_ended(poller: Poller, ids: list[str], outcome: Outcome) -> None:
    known: dict[str, Any] = {}
    pending = list(ids)
    delay = 0.0
    while pending:
        update = await poller.wait_for_update(pending, known, due_in=delay, interval=INTERVAL, unchanged_for=0.5)
        outcome.polls += update.polls
        outcome.found |= update.found
        outcome.heard |= {str(what) for what in update.found.values() if isinstance(what, CommsError)}
        known |= {one: what for one, what in update.found.items() if not isinstance(what, CommsError)}
        pending = [one for one in pending if not _is_final(outcome.found.get(one))]
        delay = INTERVAL


def _is_final(what: Any) -> bool:
    if isinstance(what, CommsError):
        return not what.transient and not isinstance(what, CommsRecordError)
    return what is not None and what.is_terminal

"""Side by side gives what one after the other gives, whatever the server's habits. The API here is a function."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsProtocolError, CommsServerError
from airflow_provider_comms.comms.listing.in_turn import list_in_turn
from airflow_provider_comms.comms.listing.parallel import list_side_by_side
from airflow_provider_comms.comms.listing.query import query_of
from airflow_provider_comms.comms.listing.results import Results
from airflow_provider_comms.comms.listing.slices import MIN_SLICE, Slice, whole_slice
from airflow_provider_comms.comms.models import Operations, Page
from airflow_provider_comms.comms.resource import Resource

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from airflow_provider_comms.comms.listing.in_turn import GetPage
    from airflow_provider_comms.comms.listing.query import Query

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = 86_400.0


@dataclass
class Habits:
    """What Twilio does not promise about its lists."""

    order: str = "newest-first"
    inclusive: bool = False
    whole_seconds: bool = False
    empty_pages: bool = False
    repeats: bool = False
    short_pages: bool = False


@dataclass
class Api:
    """A list of operations, in pages, with habits."""

    created: list[datetime]
    habits: Habits = field(default_factory=Habits)
    asked: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    fail_at: int | None = None

    def __post_init__(self) -> None:
        self.records = [
            {"id": f"op{n}", "status": "COMPLETED", "stats": {}, "createdAt": at, "updatedAt": at}
            for n, at in enumerate(self.created)
        ]
        self.shuffled = random.Random(5).sample(self.records, len(self.records))
        newest = sorted(self.records, key=itemgetter("createdAt"), reverse=True)
        orders = {"newest-first": newest, "oldest-first": newest[::-1], "none": self.shuffled}
        self.records = orders[self.habits.order]

    async def page(self, request) -> Page:
        self.asked += 1
        number = self.asked
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for _ in range(number % 3):
                await asyncio.sleep(0)
            if number == self.fail_at:
                raise CommsServerError("down")
            return self._page(dict(request.query))
        finally:
            self.in_flight -= 1

    def _page(self, query: dict[str, str]) -> Page:
        keeps = self._filter(query)
        kept = [record for record in self.records if keeps(record["createdAt"])]
        size = int(query["pageSize"])
        size = max(1, size // 2) if self.habits.short_pages else size
        at, blank = (int(part) for part in query.get("pageToken", "0,0").split(","))
        if self.habits.empty_pages and not blank:
            return page_of([], f"{at},1")
        end = at + size
        token = f"{end - (self.habits.repeats and size > 1)},0" if end < len(kept) else None
        return page_of(kept[at:end], token)

    def _filter(self, query: dict[str, str]) -> Callable[[datetime], bool]:
        start = datetime.fromisoformat(query.get("startDate", "0001-01-01T00:00:00Z"))
        end = datetime.fromisoformat(query.get("endDate", "9999-01-01T00:00:00Z"))
        if self.habits.whole_seconds:
            start, end = start.replace(microsecond=0), end.replace(microsecond=0)
        if self.habits.inclusive:
            return lambda moment: start <= moment <= end
        return lambda moment: start < moment < end


def page_of(records: list[dict[str, Any]], then: str | None) -> Page:
    return Page(Operations.of_records(Resource.EMAILS, records, lambda _, reason: pytest.fail(str(reason))), then)


def side_by_side(query: Query, get_page: GetPage) -> AsyncGenerator[Operations, None]:
    return list_side_by_side(query, get_page, "x", Results(query), NOW)


def listed(api: Api, *, parallel: int, now: datetime = NOW, **filters) -> list[str]:
    query = query_of("emails", parallel=parallel, **filters)

    async def whole() -> list[str]:
        in_turn = parallel == 1
        how = (query, api.page, "x", Results(query))
        pages = list_in_turn(*how) if in_turn else list_side_by_side(*how, now)
        return [operation.id async for page in pages for operation in page]

    return asyncio.run(whole())


def assert_same(created: list[datetime], habits: Habits, parallel: int, **filters) -> None:
    in_turn = listed(Api(created, habits), parallel=1, **filters)
    side_by_side = listed(Api(created, habits), parallel=parallel, **filters)
    assert len(side_by_side) == len(set(side_by_side))
    assert sorted(side_by_side) == sorted(in_turn)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=s) for s in seconds]


SPREADS = {
    "nothing": [],
    "one": ago(5),
    "even": ago(*(n * 600 for n in range(500))),
    "one second": ago(*(3600 + n / 500 for n in range(500))),
    "one moment": ago(*[3600.0] * 300),
    "90 % in one hour": ago(*(2 * DAY + n * 8 for n in range(450)), *(n * DAY / 8 for n in range(50))),
    "two heaps far apart": ago(*(n / 100 for n in range(200)), *(6 * DAY + n / 100 for n in range(200))),
    "older than is kept": ago(*(n * DAY for n in range(60))),
    "later than now": ago(*(-n * 60.0 for n in range(200))),
}
HABITS = {
    "plain": Habits(),
    "oldest first": Habits(order="oldest-first"),
    "no order": Habits(order="none"),
    "inclusive": Habits(inclusive=True),
    "whole seconds": Habits(whole_seconds=True),
    "empty pages": Habits(empty_pages=True),
    "repeats": Habits(repeats=True),
    "short pages": Habits(short_pages=True),
    "all at once": Habits("none", inclusive=True, empty_pages=True, repeats=True, short_pages=True),
}
WINDOWS = {
    "open": {},
    "from": {"start_date": NOW - timedelta(days=3)},
    "until": {"end_date": NOW - timedelta(hours=1)},
    "closed": {"start_date": NOW - timedelta(days=3), "end_date": NOW - timedelta(hours=1)},
    "future": {"start_date": NOW + timedelta(hours=1)},
    "long past": {"end_date": NOW - timedelta(days=30)},
    "a second": {"start_date": NOW - timedelta(seconds=3601), "end_date": NOW - timedelta(seconds=3600)},
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS)
@pytest.mark.parametrize("created", SPREADS.values(), ids=SPREADS)
def test_parallel_lists_exactly_what_one_chain_lists(created, habits, window):
    assert_same(created, habits, parallel=8, page_size=20, **window)


_habits = st.builds(
    Habits,
    order=st.sampled_from(["newest-first", "oldest-first", "none"]),
    inclusive=st.booleans(),
    whole_seconds=st.booleans(),
    empty_pages=st.booleans(),
    repeats=st.booleans(),
    short_pages=st.booleans(),
)
_moments = st.one_of(
    st.integers(0, 700_000).map(float),
    st.integers(0, 20).map(lambda n: n / 4),
    st.floats(0, 60),
    st.just(3600.0),
)


@settings(max_examples=150)
@given(st.lists(_moments, max_size=80), _habits, st.integers(2, 32), st.integers(1, 9), st.sampled_from([*WINDOWS]))
@example([0.0, 4.0, 8.0, 12.0] * 5, Habits(), 3, 1, "open")
def test_no_operation_is_lost_or_doubled(seconds, habits, parallel, page_size, window):
    assert_same(ago(*seconds), habits, parallel, page_size=page_size, **WINDOWS[window])


def test_in_turn_keeps_the_order_of_the_api():
    created = ago(*(n * 7 for n in range(100)))
    assert listed(Api(created), parallel=1, page_size=9) == [f"op{n}" for n in range(100)]


@pytest.mark.parametrize("parallel", [2, 8, 32])
def test_no_more_requests_at_once_than_slices(parallel):
    api = Api(SPREADS["even"])
    listed(api, parallel=parallel, page_size=5)
    assert 1 < api.most_in_flight <= parallel


@pytest.mark.parametrize("created", SPREADS.values(), ids=SPREADS)
def test_cutting_costs_a_bounded_number_of_requests(created):
    """The pages that there are, and a few for each slice; not many times over."""
    one, eight = Api(created), Api(created)
    listed(one, parallel=1, page_size=10)
    listed(eight, parallel=8, page_size=10)
    assert eight.asked <= 3 * one.asked + 64


@pytest.mark.parametrize(("order", "most"), [("newest-first", 0.25), ("oldest-first", 0.25), ("none", 0.28)])
@pytest.mark.parametrize("spread", ["even", "90 % in one hour"])
def test_slices_are_listed_in_few_rounds_whatever_the_order(order, most, spread):
    """13 of 100 would be ideal. Without an order of time nothing tells how much of a slice is left."""
    api = Api(SPREADS[spread], Habits(order=order))
    query = query_of("emails", parallel=8, page_size=5)

    waiting: list[asyncio.Future[None]] = []

    async def answer(request) -> Page:
        waiting.append(asyncio.get_running_loop().create_future())
        await waiting[-1]
        return api._page(dict(request.query))

    async def count_rounds() -> int:
        """Answer all that wait at once, again and again."""
        listing = asyncio.create_task(whole())
        rounds = 0
        while not listing.done():
            for _ in range(20):
                await asyncio.sleep(0)
            answered, waiting[:] = waiting[:], []
            rounds += bool(answered)
            for each in answered:
                each.set_result(None)
        assert listing.result() == 500
        return rounds

    async def whole() -> int:
        return len([operation async for page in side_by_side(query, answer) for operation in page])

    assert asyncio.run(count_rounds()) <= most * 100


@pytest.mark.parametrize("at", [1, 4, 12])
def test_an_error_in_one_slice_ends_the_list_with_it_and_leaves_nothing_running(at):
    api = Api(SPREADS["even"], fail_at=at)
    query = query_of("emails", parallel=8, page_size=10)

    async def whole() -> int:
        with pytest.raises(CommsServerError):
            async for _ in side_by_side(query, api.page):
                pass
        return len(asyncio.all_tasks())

    assert asyncio.run(whole()) == 1
    assert api.in_flight == 0


@pytest.mark.parametrize("taken", [1, 3])
def test_a_list_left_early_leaves_nothing_running(taken):
    api = Api(SPREADS["even"])
    query = query_of("emails", parallel=8, page_size=5)

    async def some() -> int:
        pages = side_by_side(query, api.page)
        for _ in range(taken):
            await anext(pages)
        await pages.aclose()
        return len(asyncio.all_tasks())

    assert asyncio.run(some()) == 1
    assert api.in_flight == 0


def test_a_slow_reader_holds_the_requests_back():
    api = Api(SPREADS["even"])
    query = query_of("emails", parallel=4, page_size=5)

    async def slowly() -> int:
        pages = side_by_side(query, api.page)
        await anext(pages)
        for _ in range(500):
            await asyncio.sleep(0)
        await pages.aclose()
        return api.asked

    assert asyncio.run(slowly()) <= 4 * 4


def test_a_circle_of_tokens_in_one_slice_ends_the_list():
    async def circle(_request) -> Page:
        return page_of([], "again")

    async def whole() -> None:
        async for _ in side_by_side(query_of("emails", parallel=4), circle):
            pass

    with pytest.raises(CommsProtocolError, match="pagination loop"):
        asyncio.run(whole())


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    st.floats(0, 1e7),
    st.integers(1, 40),
)
def test_pieces_of_a_slice_touch_each_other_and_cover_it(start, seconds, pieces):
    start = start.replace(tzinfo=UTC)
    whole = Slice(start, start + timedelta(seconds=seconds))
    assert_covered(whole, whole.cut(pieces))


@given(st.floats(0, 1e5), st.lists(st.floats(-1e4, 2e5), max_size=40).map(sorted))
def test_pieces_that_meet_at_given_moments_do_so_too(seconds, moments):
    whole = Slice(NOW, NOW + timedelta(seconds=seconds))
    assert_covered(whole, whole.cut_at([NOW + timedelta(seconds=moment) for moment in moments]))


def assert_covered(whole: Slice, cut: list[Slice]) -> None:
    assert cut[0].start == whole.start
    assert cut[-1].end == whole.end
    assert all(one.end == two.start for one, two in pairwise(cut))
    assert [piece.first for piece in cut] == [True] + [False] * (len(cut) - 1)
    assert [piece.last for piece in cut] == [False] * (len(cut) - 1) + [True]
    assert len(cut) == 1 or all(piece.width >= MIN_SLICE - timedelta.resolution for piece in cut)


def test_neighbouring_slices_touch_and_the_ends_stay_as_they_were_asked_for():
    query = query_of("emails", start_date=NOW - timedelta(hours=1))
    pieces = [piece.query(query) for piece in whole_slice(query, NOW).cut(4)]
    assert pieces[0].start_date == query.start_date
    assert pieces[-1].end_date is None
    assert all(one.end_date == two.start_date for one, two in pairwise(pieces))


MICROSECOND = timedelta(microseconds=1)


@settings(max_examples=200)
@given(
    st.lists(st.integers(0, 40_000_000), max_size=40),
    st.lists(st.integers(0, 40), min_size=1, max_size=5, unique=True).map(sorted),
    st.sampled_from([timedelta(seconds=1), timedelta(milliseconds=1), MICROSECOND]),
    _habits,
    st.sampled_from([1, 4]),
)
@example([0, 10_000_000, 9_999_999, 10_000_001, 20_000_000], [0, 10, 20], MICROSECOND, Habits(), 1)
@example([0, 10_000_000, 9_999_999, 10_000_001, 20_000_000], [0, 10, 20], MICROSECOND, Habits(inclusive=True), 4)
def test_adjacent_windows_find_each_operation_exactly_once(offsets, edges, precision, habits, parallel):
    """Whichever way the server reads its bounds, `[start, end)` is what is found."""
    begin = NOW - timedelta(hours=1)
    created = [begin + n * MICROSECOND // precision * precision for n in offsets]
    found = [
        name
        for start, end in pairwise(begin + timedelta(seconds=edge) for edge in edges)
        for name in listed(Api(created, habits), parallel=parallel, page_size=5, start_date=start, end_date=end)
    ]
    inside = [
        f"op{n}"
        for n, at in enumerate(created)
        if begin + timedelta(seconds=edges[0]) <= at < begin + timedelta(seconds=edges[-1])
    ]
    assert sorted(found) == sorted(inside)

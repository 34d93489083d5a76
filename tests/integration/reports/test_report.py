"""A report over a real listing: nothing is lost, counted twice or read the wrong way."""

from __future__ import annotations

import json
import random
import re
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.comms.errors import CommsArgumentError, CommsError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.settings import ClientSettings, RetryPolicy
from airflow_provider_comms.reports.figures import figures
from airflow_provider_comms.reports.report import ReportSpec, collect
from airflow_provider_comms.reports.spool import DailySpool, Spool
from airflow_provider_comms.reports.window import window_of
from airflow_provider_comms.reports.words import notes_on

EMAILS, MESSAGES = Resource.EMAILS, Resource.MESSAGES
PLANS = 100
LOST = ("failed", "undelivered", "unaddressable", "canceled")


@pytest.fixture
def client(comms_simulator):
    settings = ClientSettings(
        username=comms_simulator.account_sid,
        password=comms_simulator.auth_token,
        base_url=comms_simulator.url,
        retry=RetryPolicy(attempts=8, backoff_base=0.01, backoff_cap=0.05),
    )
    with CommsClient(settings) as client:
        yield client


class Paged:
    """A client that lists with another page size."""

    def __init__(self, client, page_size):
        self._client = client
        self._page_size = page_size

    def list_operations(self, resource, **filters):
        return self._client.list_operations(resource, page_size=self._page_size, **filters)


def a_week_until(now):
    return window_of(now - timedelta(days=6), now + timedelta(seconds=1))


def fates(rng, resource):
    """What became of the recipients of an operation, counted by one who saw them."""
    engaged = "read" if resource is MESSAGES else "opened"
    names = ["queued", "sent", "delivered", engaged, *LOST]
    if resource is EMAILS:
        names.remove("unaddressable")
    return {name: rng.choice([0, 0, 1, 7, 400]) for name in names}, engaged


def counters_of(counts, engaged, reading):
    whole = sum(counts.values())
    counters = {"total": whole, "recipients": whole, "attempts": whole, "scheduled": 0, **counts}
    if reading == "cumulative":
        counters["delivered"] += counts[engaged]
        counters["sent"] += counters["delivered"] + counts["undelivered"]
    return counters


def seeded(simulator, resource, operations, reading):
    """Fill the simulator, and return the sums as they were put in."""
    rng = random.Random(f"{resource}{reading}")
    sums = dict.fromkeys(("recipients", "reached", "engaged", "not_reached", "in_progress"), 0)
    for _ in range(PLANS):
        counts, engaged = fates(rng, resource)
        each = operations // PLANS
        simulator.seed(
            resource.value, each, processing_for=0, raw_stats=counters_of(counts, engaged, reading),
            spread=rng.choice([10, 3600, 5 * 86_400]), until=simulator.now - timedelta(seconds=rng.random() * 3600),
        )  # fmt: skip
        sums["recipients"] += each * sum(counts.values())
        sums["reached"] += each * (counts["delivered"] + counts[engaged])
        sums["engaged"] += each * counts[engaged]
        sums["not_reached"] += each * sum(counts.get(name, 0) for name in LOST)
        sums["in_progress"] += each * (counts["queued"] + counts["sent"])
    return sums


def found(summary):
    figures, engaged = summary.figures, "read" if summary.resource is MESSAGES else "opened"
    return {name: figures[engaged if name == "engaged" else name] for name in
            ("recipients", "reached", "engaged", "not_reached", "in_progress")}  # fmt: skip


@pytest.mark.parametrize("reading", ["cumulative", "exclusive"])
def test_totals_of_ten_thousand_operations_are_those_that_were_put_in(client, comms_simulator, reading):
    expected = {resource: seeded(comms_simulator, resource, 5_000, reading) for resource in Resource}
    for fault in (503, 429, "reset"):
        comms_simulator.fault(fault, times=3)

    spec = ReportSpec(resources=[EMAILS, MESSAGES], window=a_week_until(comms_simulator.now))
    summaries = collect(client, spec)

    assert {resource: found(summary) for resource, summary in summaries.items()} == expected
    assert [summary.operations for summary in summaries.values()] == [5_000, 5_000]
    assert all(sum(bucket["operations"] for bucket in one.series) == 5_000 for one in summaries.values())


@pytest.mark.parametrize("order", ["newest-first", "oldest-first"])
@pytest.mark.parametrize(("page_size", "parallel"), [(7, 1), (50, 8), (1000, 3)])
def test_neither_page_size_nor_order_matters(client, comms_simulator, order, page_size, parallel):
    comms_simulator.change_settings(order=order)
    expected = seeded(comms_simulator, EMAILS, 1000, "exclusive")

    spec = ReportSpec(resources=[EMAILS], window=a_week_until(comms_simulator.now), parallel=parallel)
    summary = collect(Paged(client, page_size), spec)[EMAILS]

    assert (summary.operations, found(summary)) == (1000, expected)


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("parallel", [1, 8])
def test_an_operation_on_the_edge_is_in_exactly_one_of_two_windows(client, comms_simulator, inclusive, parallel):
    comms_simulator.change_settings(inclusive_bounds=inclusive)
    edge = (comms_simulator.now - timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    for offset in (-3600, -1, -0.001, 0, 0.001, 1):
        comms_simulator.add_operation("emails", created_at=edge + timedelta(seconds=offset), processing_for=0)

    windows = [window_of(edge - timedelta(hours=1), edge), window_of(edge, edge + timedelta(hours=1))]
    counts = [
        collect(client, ReportSpec(resources=[EMAILS], window=window, parallel=parallel))[EMAILS].operations
        for window in windows
    ]

    assert counts == [3, 3]


def test_rows_and_sums_come_of_one_listing(client, comms_simulator, tmp_path):
    expected = seeded(comms_simulator, MESSAGES, 3000, "cumulative")
    (tmp_path / "spool").mkdir()
    spool = Spool(tmp_path / "spool", ("jsonl.gz", "csv", "parquet"), "operations")

    spec = ReportSpec(resources=[MESSAGES], window=a_week_until(comms_simulator.now))
    collect(client, spec, spool)
    files = spool.publish(tmp_path)

    lists = [request for request in comms_simulator.requests if "startDate" in str(request)]
    assert len(lists) < 40
    for form, file in files.items():
        sums = "count(distinct id), sum(reached), sum(read), sum(not_reached), sum(in_progress)"
        row = duckdb.sql(f"select {sums} from '{tmp_path}/operations.{form}'").fetchall()[0]
        assert row == (3000, *list(expected.values())[1:]), form
        assert file["rows"] == 3000
        assert file["bytes"] == (tmp_path / f"operations.{form}").stat().st_size


def test_progress_is_told_now_and_then(client, comms_simulator):
    comms_simulator.seed("emails", 1200, processing_for=0, spread=3600)
    told = []

    spec = ReportSpec(resources=[EMAILS], window=a_week_until(comms_simulator.now))
    collect(client, spec, on_progress=told.append, progress_interval=0.0)

    assert [one.operations for one in told] == [500, 1000]
    assert "500 operations in " in str(told[0])


class TestDays:
    """A file per resource and day."""

    def spec(self, start, end):
        return ReportSpec(resources=[EMAILS], window=window_of(start, end))

    def run(self, client, spec, folder, now):
        spooled = folder / "spool"
        spooled.mkdir(parents=True, exist_ok=True)
        spool = DailySpool(spooled, ("jsonl",), spec.resources, spec.window, now)
        collect(client, spec, spool)
        return spool.publish(folder / "out")["jsonl"]

    def ids(self, folder, day):
        path = folder / "out" / "emails" / f"date={day:%Y-%m-%d}" / "operations.jsonl"
        return [json.loads(line)["id"] for line in path.read_text().splitlines()]

    def test_each_run_replaces_whole_days_with_their_newest_numbers(self, client, comms_simulator, tmp_path):
        today = comms_simulator.now.replace(hour=0, minute=0, second=0, microsecond=0)
        days = [today - timedelta(days=n) for n in (3, 2, 1)]
        ids = [
            comms_simulator.add_operation("emails", created_at=day + timedelta(hours=1), processing_for=0)
            for day in days[:2]
        ]
        now = comms_simulator.now

        published = self.run(client, self.spec(days[0], today), tmp_path, now)

        assert published | {"uri": None, "bytes": None} == {"uri": None, "rows": 2, "bytes": None, "files": 3}
        assert [self.ids(tmp_path, day) for day in days] == [[ids[0]], [ids[1]], []]

        late = comms_simulator.add_operation("emails", created_at=days[1] + timedelta(hours=2), processing_for=0)
        self.run(client, self.spec(days[1], today), tmp_path, now)

        assert self.ids(tmp_path, days[0]) == [ids[0]]
        assert sorted(self.ids(tmp_path, days[1])) == sorted([ids[1], late])

    def test_what_twilio_no_longer_keeps_whole_replaces_nothing(self, client, comms_simulator, tmp_path):
        today = comms_simulator.now.replace(hour=0, minute=0, second=0, microsecond=0)
        oldest = today - timedelta(days=7)
        first = comms_simulator.add_operation("emails", created_at=oldest + timedelta(hours=1), processing_for=0)
        self.run(client, self.spec(oldest, today), tmp_path, oldest + timedelta(days=1))
        comms_simulator.remove_operation("emails", first)

        self.run(client, self.spec(oldest, today), tmp_path, today + timedelta(minutes=5))

        assert self.ids(tmp_path, oldest) == [first]

    def test_a_window_that_cuts_a_day_is_refused(self, tmp_path, comms_simulator):
        spec = self.spec("2026-11-20T06:00", "2026-11-21")
        with pytest.raises(CommsArgumentError, match="cuts a day in two"):
            DailySpool(tmp_path, ("jsonl",), spec.resources, spec.window, comms_simulator.now)

    def test_duckdb_reads_the_folder_as_it_is(self, client, comms_simulator, tmp_path):
        today = comms_simulator.now.replace(hour=0, minute=0, second=0, microsecond=0)
        for n in (1, 2, 2):
            comms_simulator.add_operation(
                "emails", created_at=today - timedelta(days=n) + timedelta(hours=5), processing_for=0, recipients=10
            )
        self.run(client, self.spec(today - timedelta(days=2), today), tmp_path, comms_simulator.now)

        page = (Path(__file__).parents[3] / "docs" / "reports.md").read_text()
        (query,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
        rows = duckdb.sql(query.replace("'history/", f"'{tmp_path}/out/")).fetchall()

        assert [(str(date), int(reached), int(whole)) for date, reached, whole in rows] == [
            (f"{today - timedelta(days=n):%Y-%m-%d}", 10 * count, 10 * count) for n, count in ((2, 2), (1, 1))
        ]


def test_a_listing_that_fails_publishes_nothing(client, comms_simulator, tmp_path):
    comms_simulator.seed("emails", 5000, processing_for=0, spread=3600)
    comms_simulator.fault(403, skip=3)
    (tmp_path / "spool").mkdir()
    spool = Spool(tmp_path / "spool", ("jsonl",), "operations")

    with pytest.raises(CommsError):
        collect(client, ReportSpec(resources=[EMAILS], window=a_week_until(comms_simulator.now)), spool)
    spool.discard()

    assert not list(tmp_path.glob("*.jsonl"))


def test_what_cannot_be_read_is_not_counted_and_said(client, comms_simulator):
    comms_simulator.add_operation("emails", age=60, processing_for=0)
    comms_simulator.add_operation("emails", age=60, raw_fields={"updatedAt": None})
    spec = ReportSpec(resources=[EMAILS], window=a_week_until(comms_simulator.now))

    summaries = collect(client, spec)

    assert summaries[EMAILS].operations == 1
    assert notes_on(spec.window, summaries, spec.window.end) == [
        "1 unreadable records are not in this list of emails operations."
    ]


@pytest.mark.parametrize("seconds", [0, 30, 59, 90, 200])
@pytest.mark.parametrize("resource", list(Resource))
def test_an_operation_has_the_same_figures_at_every_age_however_the_api_counts(
    client, comms_simulator, resource, seconds
):
    plan = {"processing_for": 60, "opening_for": 100, "recipients": 1000, "failed": 0.1, "undelivered": 0.05}
    if resource is MESSAGES:
        plan["unaddressable"] = 0.2
    found_by_reading = []
    for reading in ("cumulative", "exclusive"):
        comms_simulator.change_settings(counters=reading)
        operation_id = comms_simulator.add_operation(resource.value, age=float(seconds), opened=0.5, **plan)
        operation = client.get_operation(resource.value, operation_id)
        found_by_reading.append(figures(resource, operation.stats.counters()))

    cumulative, exclusive = found_by_reading
    # The simulator's clock goes on between the two.
    assert all(abs(cumulative[name] - exclusive[name]) <= 25 for name in cumulative), found_by_reading

"""The state of an operation as a function of its plan and its age."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.simulator import OperationPlan
from airflow_provider_comms.simulator.timeline import COUNTERS, changed_at, stats_at, status_at

LEVELS = {"queued", "scheduled"}
SHARES = ("delivered", "failed", "undelivered", "unaddressable", "canceled")

resources = st.sampled_from(["emails", "messages"])
ages = st.integers(0, 100_000)


@st.composite
def plans(draw):
    parts = draw(st.lists(st.integers(0, 100), min_size=6, max_size=6))
    whole = sum(parts) or 1
    shares = {name: part / whole for name, part in zip(SHARES, parts, strict=False)}
    for name in ("delivered", "canceled"):
        if draw(st.booleans()):
            shares[name] = None
    return OperationPlan(
        scheduled_for=draw(st.integers(0, 30_000)) / 1000,
        processing_for=draw(st.integers(0, 30_000)) / 1000,
        opening_for=draw(st.sampled_from([0, 7.5])),
        recipients=draw(st.integers(0, 10_000)),
        ends_in=draw(st.sampled_from(["COMPLETED", "CANCELED"])),
        opened=draw(st.floats(0, 1)),
        **shares,
    )


@given(plans(), resources, ages)
def test_counters_are_those_of_the_reference_and_never_negative(plan, resource, age):
    stats = stats_at(plan, resource, age)

    assert tuple(stats) == COUNTERS[resource]
    assert all(isinstance(count, int) and count >= 0 for count in stats.values())


@given(plans(), resources, ages, ages)
def test_counters_only_grow_but_for_what_is_still_to_do(plan, resource, one, other):
    earlier, later = sorted([one, other])
    before, after = stats_at(plan, resource, earlier), stats_at(plan, resource, later)

    assert {name for name in before if after[name] < before[name]} <= LEVELS
    assert changed_at(plan, earlier) <= changed_at(plan, later) <= later


@given(plans(), resources, ages)
def test_no_more_receipts_than_sent_and_nobody_lost(plan, resource, age):
    stats = stats_at(plan, resource, age)
    never_sent = stats["failed"] + stats.get("unaddressable", 0) + stats["canceled"]

    assert stats["delivered"] + stats["undelivered"] <= stats["sent"]
    assert stats.get("opened", stats.get("read")) <= stats["delivered"]
    if resource == "messages":
        assert stats["scheduled"] + stats["queued"] + stats["sent"] + never_sent == plan.recipients


@given(plans(), resources, ages)
def test_counted_exclusively_each_recipient_counts_once(plan, resource, age):
    stats = stats_at(OperationPlan(**plan.model_dump() | {"counters": "exclusive"}), resource, age)
    cumulative = stats_at(plan, resource, age)
    states = {name: count for name, count in stats.items() if name not in ("total", "recipients", "attempts")}
    opened = stats.get("opened", stats.get("read"))

    assert min(states.values()) >= 0
    assert stats["delivered"] + opened == cumulative["delivered"]
    if resource == "messages":
        assert sum(states.values()) == plan.recipients


@given(plans())
def test_the_end_is_exactly_the_outcome(plan):
    stats = stats_at(plan, "messages", plan.settles_ms)
    outcome = plan.outcome._asdict()
    read = outcome.pop("opened")

    assert {name: stats[name] for name in outcome} == outcome
    assert stats["read"] == read
    assert stats["queued"] == stats["scheduled"] == 0
    assert stats == stats_at(plan, "messages", plan.settles_ms + 10**9)


@given(plans(), ages, ages)
def test_status_only_goes_forward(plan, one, other):
    order = ["SCHEDULED", "PROCESSING", plan.ends_in]
    earlier, later = sorted([one, other])

    assert order.index(status_at(plan, earlier)) <= order.index(status_at(plan, later))


@given(plans(), resources, ages)
def test_equal_plans_have_equal_states(plan, resource, age):
    twin = OperationPlan(**plan.model_dump())

    assert stats_at(twin, resource, age) == stats_at(plan, resource, age)


def test_a_plain_life():
    plan = OperationPlan(scheduled_for=10, processing_for=20, recipients=100, failed=0.1, opened=0.5)
    seen = [(status_at(plan, age), stats_at(plan, "emails", age)) for age in (0, 9_999, 10_000, 20_000, 30_000)]

    assert [status for status, _ in seen] == ["SCHEDULED", "SCHEDULED", "PROCESSING", "PROCESSING", "COMPLETED"]
    assert [stats["scheduled"] for _, stats in seen] == [100, 100, 0, 0, 0]
    assert [stats["queued"] for _, stats in seen] == [0, 0, 100, 39, 0]
    assert [stats["delivered"] for _, stats in seen] == [0, 0, 0, 45, 90]
    assert [stats["opened"] for _, stats in seen] == [0, 0, 0, 22, 45]


def test_a_canceled_operation_cancels_the_rest_when_it_ends():
    plan = OperationPlan(processing_for=10, recipients=100, ends_in="CANCELED", delivered=0.4)

    assert stats_at(plan, "emails", 9_999)["canceled"] == 0
    assert stats_at(plan, "emails", 10_000)["canceled"] == 60
    assert stats_at(plan, "emails", 10_000)["delivered"] == 40


def test_opens_go_on_after_the_end_only_when_told():
    settled = OperationPlan(processing_for=10, recipients=100, opened=0.5)
    growing = OperationPlan(processing_for=10, recipients=100, opened=0.5, opening_for=10)

    assert [stats_at(settled, "emails", age)["opened"] for age in (10_000, 15_000, 20_000)] == [50, 50, 50]
    assert [stats_at(growing, "emails", age)["opened"] for age in (10_000, 15_000, 20_000)] == [25, 37, 50]
    assert status_at(growing, 15_000) == "COMPLETED"


def test_odd_states_when_told():
    plan = OperationPlan(raw_status="PAUSED", raw_stats={"sent": -5, "bounced": 3}, omit_stats=["queued", "recipients"])
    stats = stats_at(plan, "emails", 0)

    assert status_at(plan, 10**9) == "PAUSED"
    assert stats["sent"] == -5
    assert stats["bounced"] == 3
    assert not {"queued", "recipients"} & stats.keys()

"""`fail_early` says beforehand what the end would say, however Twilio counts, and never anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.models import EmailOperation, MessageOperation
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.figures import NOT_REACHED, engagement
from airflow_provider_comms.waiting.spec import WaitSpec
from airflow_provider_comms.waiting.verdict import Failed, Waiting, judge

EMAILS, MESSAGES = Resource.EMAILS, Resource.MESSAGES
MODELS = {EMAILS: EmailOperation, MESSAGES: MessageOperation}


def operation(resource, status, stats):
    return MODELS[resource](
        id="comms_operation_01h9krwprkeee8fzqspvwy6nq8",
        status=status,
        stats=stats,
        created_at="2026-11-21T00:00:00Z",
        updated_at="2026-11-21T00:00:00Z",
    )


def verdict(resource, status, stats, fail_if, *, fail_early=True):
    return judge(operation(resource, status, stats), WaitSpec(fail_if=fail_if, fail_early=fail_early))


def paths(resource):
    """What a recipient goes through, in order."""
    lost = NOT_REACHED if resource is MESSAGES else ("failed", "undelivered", "canceled")
    ends = [("queued", "sent", "delivered", engagement(resource)), ("queued", "sent", "undelivered")]
    return ends + [("queued", one) for one in lost if one != "undelivered"]


def counters(recipients, reading):
    """
    Count recipients, given as what they have gone through so far.

    Exclusive: everyone once, in the latest state. Cumulative: whoever was sent to stays counted there, and likewise.
    """
    states = [state for path in recipients for state in (path[-1:] if reading == "exclusive" else path)]
    if reading == "cumulative":  # Who was sent to is queued no more.
        states = [one for one in states if one != "queued"] + ["queued"] * sum(len(path) == 1 for path in recipients)
    whole = len(recipients)
    return {"total": whole, "recipients": whole, **{state: states.count(state) for state in set(states)}}


@st.composite
def lives(draw):
    """An operation at two times of its life, counted in one of the readings."""
    resource, reading = draw(st.sampled_from(list(Resource))), draw(st.sampled_from(["exclusive", "cumulative"]))
    routes = draw(st.lists(st.sampled_from(paths(resource)), max_size=12))
    late = [path[: draw(st.integers(1, len(path)))] for path in routes]
    early = [path[: draw(st.integers(1, len(path)))] for path in late]
    return resource, counters(early, reading), counters(late, reading)


def limits(resource, early):
    """Every counter and figure with limits on this side of what it is and can come to, and beyond."""
    whole = early["recipients"]
    for name in (*resource.counters, "reached", "not_reached", "in_progress"):
        value = early.get(name, 0)
        numbers = {0, max(0, value - 1), value, value + 1, max(0, whole - 1), whole}
        ratios = {"0%", "50%", *(f"{100 * number // whole}%" for number in numbers if 0 < whole >= number)}
        floors = () if name in (*NOT_REACHED, "not_reached") else (*numbers, *ratios)
        for limit in (*numbers, *ratios, *(f"< {one}" for one in floors)):
            yield {name: limit}


@given(lives())
def test_what_fails_early_would_have_failed_at_the_end(life):
    resource, early, late = life

    for fail_if in limits(resource, early):
        if isinstance(verdict(resource, "PROCESSING", early, fail_if), Failed):
            assert isinstance(verdict(resource, "COMPLETED", late, fail_if), Failed), fail_if


@given(lives())
def test_who_does_not_ask_for_it_waits_for_the_end(life):
    resource, early, late = life
    fail_if = {"failed": 0, "reached": "< 100%"}

    assert verdict(resource, "PROCESSING", early, fail_if, fail_early=False) == Waiting()
    at_the_end = [verdict(resource, "COMPLETED", late, fail_if, fail_early=asked) for asked in (True, False)]
    assert at_the_end[0] == at_the_end[1]


@given(lives())
def test_too_many_not_reached_are_seen_at_once(life):
    resource, early, _ = life
    lost = {name: early.get(name, 0) for name in NOT_REACHED if name in resource.counters}
    lost["not_reached"] = sum(lost.values())

    for name, count in lost.items():
        if count:
            assert isinstance(verdict(resource, "PROCESSING", early, {name: count - 1}), Failed)
            assert isinstance(verdict(resource, "PROCESSING", early, {name: "0%"}), Failed)
        assert verdict(resource, "PROCESSING", early, {name: count}) == Waiting()


@pytest.mark.parametrize("status", ["SCHEDULED", "PROCESSING", "PAUSED"])
@pytest.mark.parametrize(
    ("stats", "fail_if", "fails"),
    [
        ({"failed": 3, "recipients": 100}, {"failed": "2%"}, True),
        ({"failed": 2, "recipients": 100}, {"failed": "2%"}, False),
        ({"unaddressable": 3, "recipients": 100, "total": 97}, {"unaddressable": "2%"}, True),
        # How many there will be is not known: more may be created.
        ({"failed": 3, "total": 100}, {"failed": "2%"}, False),
        ({"failed": 3, "recipients": 10, "total": 100}, {"failed": "2%"}, False),
        ({"failed": 3}, {"failed": "2%"}, False),
        ({"failed": 3}, {"failed": 2}, True),
        # What may fall, or rise, says nothing yet.
        ({"delivered": 90, "recipients": 100}, {"delivered": 50}, False),
        ({"queued": 90, "recipients": 100}, {"in_progress": "10%"}, False),
        ({"recipients": 100}, {"reached": "< 95%"}, False),
        # A floor is out of reach when too few are left.
        ({"failed": 6, "recipients": 100}, {"reached": "< 95%"}, True),
        ({"failed": 5, "recipients": 100}, {"reached": "< 95%"}, False),
        ({"failed": 3, "undelivered": 3, "recipients": 100}, {"read": "< 95%"}, True),
        ({"failed": 6, "recipients": 100}, {"delivered": "< 95"}, True),
        ({"failed": 6, "recipients": 100, "total": 101}, {"delivered": "< 95"}, False),
        ({"failed": 99, "recipients": 100}, {"sent": "< 95%"}, False),
        # It never could be met: that is not the operation's doing, and is said at the end.
        ({"recipients": 3}, {"reached": "< 5"}, False),
        ({"recipients": 0}, {"reached": "< 5"}, False),
        # Counters that contradict themselves.
        ({"failed": 60, "delivered": 60, "recipients": 100}, {"delivered": "< 70%"}, False),
        ({"failed": 160, "recipients": 100}, {"reached": "< 1%"}, True),
    ],
)
def test_known_answers(stats, fail_if, fails, status):
    found = verdict(MESSAGES, status, stats, fail_if)

    assert isinstance(found, Failed if fails else Waiting)


def test_it_says_what_is_broken_and_that_the_operation_goes_on():
    found = verdict(EMAILS, "PROCESSING", {"failed": 6, "recipients": 100}, {"failed": "2%", "reached": "< 95%"})

    assert found.reason == "threshold"
    assert found.message.startswith(
        "failed = 6 (6.0 %), above the limit of 2 %; reached at most 94 (94.0 %), below the limit of 95 %. PROCESSING"
    )
    assert found.message.endswith("It goes on without this task, as fail_early=True says.")

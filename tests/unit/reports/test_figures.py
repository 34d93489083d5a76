"""Figures and rates hold in both readings of Twilio's counters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.figures import NOT_REACHED, engagement, figures, no_figures, reading, totals
from airflow_provider_comms.reports.rates import percent, rates

EMAILS, MESSAGES = Resource.EMAILS, Resource.MESSAGES
FATES = ("queued", "scheduled", "sent", "delivered", "engaged", *NOT_REACHED)


@st.composite
def lives(draw, resource=None):
    """What became of each recipient, and the counters that tell it, in both readings."""
    resource = resource or draw(st.sampled_from(list(Resource)))
    lost = NOT_REACHED if resource is MESSAGES else [name for name in NOT_REACHED if name != "unaddressable"]
    counts = {fate: draw(st.integers(0, 50)) for fate in FATES if fate in (*FATES[:5], *lost)}
    whole = sum(counts.values())
    engaged = engagement(resource)
    common = {"total": whole, "recipients": whole, "attempts": whole}
    exclusive = {engaged if fate == "engaged" else fate: count for fate, count in counts.items()}
    delivered = counts["delivered"] + counts["engaged"]
    cumulative = exclusive | {"delivered": delivered, "sent": counts["sent"] + delivered + counts["undelivered"]}
    return resource, counts, common | exclusive, common | cumulative


@given(lives())
def test_both_readings_of_one_life_give_the_same_figures(life):
    resource, counts, exclusive, cumulative = life

    assert figures(resource, exclusive) == figures(resource, cumulative)
    figure = figures(resource, exclusive)
    assert figure["reached"] == counts["delivered"] + counts["engaged"]
    assert figure[engagement(resource)] == counts["engaged"]
    assert figure["not_reached"] == sum(counts.get(name, 0) for name in NOT_REACHED)
    assert figure["in_progress"] == counts["queued"] + counts["scheduled"] + counts["sent"]
    assert figure["reached"] + figure["not_reached"] + figure["in_progress"] == figure["recipients"]


@given(st.lists(lives(resource=EMAILS), max_size=5), st.data())
def test_sums_over_operations_of_either_reading_are_sums_of_what_became_of_the_recipients(many, data):
    chosen = [data.draw(st.sampled_from([exclusive, cumulative])) for _, _, exclusive, cumulative in many]

    sums = totals([no_figures(EMAILS), *(figures(EMAILS, counters) for counters in chosen)])

    assert sums["reached"] == sum(counts["delivered"] + counts["engaged"] for _, counts, _, _ in many)
    assert all(rate is None or 0 <= rate <= 1 for rate in rates(sums).values())


@pytest.mark.parametrize(
    ("resource", "counters", "expected", "is_read_as"),
    [
        # Ten e-mails, all opened: `delivered` is 0 where everyone is counted once.
        (EMAILS, {"total": 10, "recipients": 10, "opened": 10}, (10, 10, 0), "exclusive"),
        (EMAILS, {"total": 10, "recipients": 10, "delivered": 4, "opened": 6}, (10, 6, 0), "exclusive"),
        # Twilio's pages: sent 5, delivered 5, opened 3 of 5.
        (EMAILS, {"total": 5, "recipients": 5, "sent": 5, "delivered": 5, "opened": 3}, (5, 3, 0), "cumulative"),
        (EMAILS, {"recipients": 5, "sent": 5, "delivered": 5, "opened": 3}, (5, 3, 0), "cumulative"),
        # The specification's samples.
        (MESSAGES, {"total": 2, "recipients": 2, "attempts": 4, "delivered": 2}, (2, 0, 0), "exclusive"),
        (MESSAGES, {"total": 1, "recipients": 3, "attempts": 1}, (0, 0, 0), "exclusive"),
        (MESSAGES, {"total": 1, "recipients": 1, "unaddressable": 1}, (0, 0, 0), "exclusive"),
        # Most without an address; the rest sent, delivered and read.
        (
            MESSAGES,
            {"total": 9, "recipients": 9, "unaddressable": 6, "sent": 3, "delivered": 3, "read": 3},
            (3, 3, 0),
            "cumulative",
        ),
        # What was queued stays counted as well.
        (EMAILS, {"total": 5, "recipients": 5, "queued": 5, "sent": 5, "delivered": 4}, (4, 0, 1), "cumulative"),
        (EMAILS, {"opened": 3, "delivered": 1}, (4, 3, 0), "exclusive"),
    ],
)
def test_known_answers(resource, counters, expected, is_read_as):
    figure = figures(resource, counters)

    assert reading(counters) == is_read_as
    assert (figure["reached"], figure[engagement(resource)], figure["in_progress"]) == expected


@pytest.mark.parametrize("resource", list(Resource))
@pytest.mark.parametrize("counters", [{}, {"total": 0}, {"recipients": 3, "delivered": 3}, {"total": 1, "bounced": 1}])
def test_the_keys_are_always_the_same(resource, counters):
    figure, nothing = figures(resource, counters), no_figures(resource)

    assert list(figure) == list(nothing)
    assert list(rates(figure)) == list(rates(nothing))


def test_rates_of_nothing_are_none_and_plain_json():
    assert set(rates(no_figures(EMAILS)).values()) == {None}
    assert "NaN" not in json.dumps(rates(figures(EMAILS, {"total": 10**400, "delivered": 7})))
    assert "NaN" not in json.dumps(rates(figures(EMAILS, {"total": 1, "delivered": 10**400})))


def test_a_rate_names_what_it_divides_by_what():
    assert rates(figures(MESSAGES, {"total": 200, "delivered": 90, "read": 60, "failed": 10, "unaddressable": 40})) == {
        "reached_of_recipients": 0.75,
        "read_of_reached": 0.4,
        "not_reached_of_recipients": 0.25,
        "failed_of_recipients": 0.05,
        "undelivered_of_recipients": 0.0,
        "unaddressable_of_recipients": 0.2,
        "canceled_of_recipients": 0.0,
        "in_progress_of_recipients": 0.0,
    }


def test_rounding_makes_neither_all_nor_none_of_some():
    rate = rates(figures(EMAILS, {"total": 1_000_000, "delivered": 999_999, "failed": 1}))

    assert (rate["reached_of_recipients"], rate["failed_of_recipients"]) == (0.9999, 0.0001)
    assert (percent(0.9999), percent(0.0001)) == ("> 99.9 %", "< 0.1 %")


@pytest.mark.parametrize(
    ("rate", "text"), [(None, "n/a"), (0.0, "0.0 %"), (1.0, "100.0 %"), (0.974, "97.4 %"), (0.001, "0.1 %")]
)
def test_percent(rate, text):
    assert percent(rate) == text

"""What a plan accepts, and how shares become counts."""

from __future__ import annotations

import pytest

from airflow_provider_comms.simulator import FieldError, OperationPlan
from airflow_provider_comms.simulator.plans import plan_for


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scheduled_for", -1),
        ("processing_for", "10"),
        ("processing_for", float("nan")),
        ("opening_for", float("inf")),
        ("recipients", 1.5),
        ("recipients", True),
        ("recipients", -1),
        ("ends_in", "CANCELLED"),
        ("opened", 1.1),
        ("failed", -0.1),
        ("delivered", 2),
        ("raw_status", ""),
        ("raw_stats", [1]),
        ("raw_fields", {1: 2}),
        ("omit_stats", "queued"),
        ("omit_fields", 3),
        ("duration", 3),
    ],
)
def test_a_bad_value_is_refused_by_name(field, value):
    with pytest.raises(FieldError) as caught:
        plan_for("emails", None, {field: value})

    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


def test_shares_above_the_whole_are_refused():
    with pytest.raises(FieldError, match=r"delivered: the shares .* add up to 1\.2"):
        OperationPlan(delivered=0.9, failed=0.3)


def test_shares_that_make_a_whole_but_for_rounding_are_accepted():
    plan = OperationPlan(recipients=10, delivered=0.1, failed=0.2, undelivered=0.7)

    assert plan.outcome[:4] == (1, 0, 2, 7)


def test_the_rest_stays_sent_where_every_share_is_given():
    plan = OperationPlan(recipients=100, delivered=0.5, failed=0.1)

    assert plan.outcome.delivered == 50
    assert sum(plan.outcome) == 60


def test_messages_are_read_where_emails_are_opened():
    assert plan_for("messages", None, {"read": 0.3}) == OperationPlan(opened=0.3)
    with pytest.raises(FieldError, match="read: unknown field"):
        plan_for("emails", None, {"read": 0.3})
    with pytest.raises(FieldError, match="either read or opened"):
        plan_for("messages", None, {"read": 0.3, "opened": 0.3})


def test_only_messages_have_unaddressable_recipients():
    plan = OperationPlan(unaddressable=0.1)

    assert plan_for("messages", plan, {}) is plan
    with pytest.raises(FieldError, match="unaddressable: only messages"):
        plan_for("emails", plan, {})


def test_a_plan_and_its_fields_together_are_refused():
    with pytest.raises(FieldError, match="failed: give either a plan or its fields"):
        plan_for("emails", OperationPlan(), {"failed": 0.1})

"""What an operation's state means for a task."""

from __future__ import annotations

import json

import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.models import EmailOperation, MessageOperation
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.figures import figures
from airflow_provider_comms.reports.rates import rates
from airflow_provider_comms.waiting.payload import operation_xcom
from airflow_provider_comms.waiting.spec import WaitSpec
from airflow_provider_comms.waiting.verdict import Failed, Finished, Skipped, Waiting, judge

BODY = {
    "id": "comms_operation_01h9krwprkeee8fzqspvwy6nq8",
    "status": "COMPLETED",
    "stats": {"total": 10, "recipients": 8, "delivered": 5, "failed": 1},
    "createdAt": "2026-11-20T23:00:00-01:00",
    "updatedAt": "2026-11-20T10:00:00.5Z",
}


def operation(status="COMPLETED", model=EmailOperation, **stats):
    return model.of_record({**BODY, "status": status, "stats": stats or BODY["stats"]})


def policy(on_canceled="succeed", **fail_if):
    return WaitSpec(on_canceled=on_canceled, fail_if=fail_if)


@pytest.mark.parametrize("status", ["SCHEDULED", "PROCESSING", "PAUSED", "completed", ""])
def test_what_is_not_known_as_an_end_is_waited_for(status):
    assert judge(operation(status), policy("fail", failed=0)) == Waiting()


def test_completed_is_an_end_whatever_the_counters_say():
    assert judge(operation(queued=111, recipients=888), policy()) == Finished()


@pytest.mark.parametrize(("on_canceled", "verdict"), [("succeed", Finished), ("fail", Failed), ("skip", Skipped)])
def test_canceled_is_an_end_by_the_policy(on_canceled, verdict):
    assert isinstance(judge(operation("CANCELED"), policy(on_canceled)), verdict)


def test_a_canceled_operation_that_succeeds_leaves_a_warning():
    assert "CANCELED" in judge(operation("CANCELED"), policy()).warning


@pytest.mark.parametrize(
    ("stats", "limit", "breaks"),
    [
        ({"failed": 2, "recipients": 100}, "2%", False),
        ({"failed": 3, "recipients": 100}, "2%", True),
        ({"failed": 3, "total": 100}, "2%", True),
        ({"failed": 3, "total": 1000, "recipients": 100}, "2%", False),
        ({"failed": 1, "recipients": 100}, "0%", True),
        ({"failed": 0, "recipients": 0}, "0%", False),
        ({"failed": 50, "recipients": 100}, 50, False),
        ({"failed": 51, "recipients": 100}, 50, True),
        ({"recipients": 100}, 0, False),
        ({"failed": 5, "recipients": 1000}, "0.5%", False),
        ({"failed": 6, "recipients": 1000}, " 0.5 %", True),
        ({"failed": 10**400, "recipients": 10**400}, "2%", True),
        ({"failed": 10**400, "recipients": 1}, "2%", True),
        ({"failed": 1, "recipients": 10**400}, "2%", False),
    ],
)
def test_a_limit_is_broken_by_more_than_it_says(stats, limit, breaks):
    assert isinstance(judge(operation(**stats), policy(failed=limit)), Failed) is breaks


def test_a_broken_limit_names_counter_value_and_limit():
    verdict = judge(operation(failed=3, undelivered=9, recipients=100), policy(failed="2%", undelivered=8))

    assert verdict.message.startswith(
        "failed = 3 (3.0 %), above the limit of 2 %; undelivered = 9, above the limit of 8. COMPLETED: "
    )


def test_a_limit_is_told_as_exactly_as_it_was_given():
    verdict = judge(operation(delivered=99, recipients=100), policy(reached="< 99.999999 %"))

    assert "below the limit of 99.999999 %" in verdict.message


@pytest.mark.parametrize(
    ("stats", "limit", "breaks"),
    [
        ({"delivered": 94, "total": 100}, "< 95%", True),
        ({"delivered": 95, "total": 100}, "<95 %", False),
        ({"delivered": 40, "opened": 55, "total": 100}, "< 95%", False),  # Everyone counted once.
        ({"sent": 94, "delivered": 94, "opened": 94, "total": 100}, "< 95%", True),
        ({"delivered": 9, "total": 10}, "< 10", True),
        ({"delivered": 10, "total": 10}, "< 10", False),
        ({"total": 0}, "< 95%", False),
        ({"total": 0}, "< 1", True),
    ],
)
def test_a_floor_is_broken_by_less_than_it_says(stats, limit, breaks):
    verdict = judge(operation(**stats), policy(reached=limit))

    assert isinstance(verdict, Failed) is breaks
    assert not breaks or "below the limit of " in verdict.message


@pytest.mark.parametrize("limit", ["50", "< 101%", "<", "> 5%", "< 1.5", "< -1", "", "101%", -1, True, None, 1.5])
def test_what_is_not_a_limit_is_refused(limit):
    with pytest.raises(CommsArgumentError, match="is not a limit"):
        policy(failed=limit)


@pytest.mark.parametrize(
    ("counter", "limit", "meant"),
    [
        ("failed", "< 2%", "'2%'"),
        ("undelivered", "<50", "50"),
        ("unaddressable", "< 2%", "'2%'"),
        ("not_reached", "< 2%", "'2%'"),
    ],
)
def test_a_lower_limit_of_what_went_wrong_is_refused_and_the_upper_one_named(counter, limit, meant):
    with pytest.raises(CommsArgumentError, match="lower limit") as refused:
        policy(**{counter: limit})
    assert refused.value.advice == f"For at most so many write {{'{counter}': {meant}}}."


def test_a_counter_that_is_misspelt_is_named_with_the_one_that_was_meant():
    with pytest.raises(CommsArgumentError, match=r"'failes' \(did you mean 'failed'\?\)"):
        policy(failes="2%")


def test_each_resource_has_limits_on_its_own_counters_only():
    spec = policy(unaddressable=1)
    assert spec.check_for(Resource.MESSAGES) is spec
    with pytest.raises(CommsArgumentError, match="unaddressable"):
        spec.check_for(Resource.EMAILS)


def test_the_xcom_is_small_plain_json_in_utc():
    xcom = operation_xcom(operation())

    assert (
        json.loads(json.dumps(xcom))
        == xcom
        == {
            "id": BODY["id"],
            "resource": "emails",
            "status": "COMPLETED",
            "created_at": "2026-11-21T00:00:00Z",
            "updated_at": "2026-11-20T10:00:00.500000Z",
            "stats": {"total": 10, "recipients": 8, "delivered": 5, "failed": 1},
            "figures": figures(Resource.EMAILS, BODY["stats"]),
            "rates": rates(figures(Resource.EMAILS, BODY["stats"])),
        }
    )
    assert len(json.dumps(xcom)) < 1200


def test_a_status_that_nobody_knows_is_handed_on_as_it_is():
    assert operation_xcom(operation("PAUSED", MessageOperation))["status"] == "PAUSED"

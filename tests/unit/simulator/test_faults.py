"""Which requests a fault strikes, and what it accepts."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest

from airflow_provider_comms.simulator import Fault, FieldError
from airflow_provider_comms.simulator.request_log import Target

LIST = Target("emails", "list", None)
FETCH = Target("emails", "fetch", "one")
OTHER = Target("messages", "fetch", "other")


def struck(fault, *targets):
    return [fault.claim(target) for target in targets]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, [True, True, True, True]),
        ({"resource": "emails"}, [True, True, False, False]),
        ({"route": "fetch"}, [False, True, True, False]),
        ({"operation_id": "other"}, [False, False, True, False]),
        ({"resource": "emails", "operation_id": "other"}, [False, False, False, False]),
    ],
)
def test_a_fault_strikes_what_it_matches(match, expected):
    assert struck(Fault("hang", **match), LIST, FETCH, OTHER, None) == expected


def test_skip_lets_the_first_pass_and_times_ends_it():
    fault = Fault(503, skip=2, times=2, route="fetch")

    assert struck(fault, *[FETCH, LIST] * 6) == [False] * 4 + [True, False] * 2 + [False] * 4
    assert (fault.hits, fault.spent()) == (2, True)


@pytest.mark.parametrize("share", [0.1, 0.3, 1.0])
def test_a_share_is_spread_evenly(share):
    fault = Fault(503, skip=1, share=share)

    hits = struck(fault, *[FETCH] * 101)

    assert sum(hits) == 100 * share
    assert not hits[0]
    assert all(sum(hits[start : start + 10]) == 10 * share for start in range(1, 100, 10))


def test_a_number_stands_for_a_status():
    fault = Fault(429)

    assert (fault.kind, fault.status) == ("status", 429)


def test_retry_after_in_its_forms():
    assert Fault(429).retry_headers() == {}
    assert Fault(429, retry_after=0.5).retry_headers() == {"Retry-After": "0.5"}
    assert Fault(429, retry_after=120).retry_headers() == {"Retry-After": "120"}
    assert Fault(429, retry_after="soon").retry_headers() == {"Retry-After": "soon"}
    date = Fault(503, retry_after=30, retry_after_form="date").retry_headers()["Retry-After"]
    assert 0 <= parsedate_to_datetime(date).timestamp() - time.time() - 30 < 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": 200}, "status"),
        ({"kind": 429, "times": 0}, "times"),
        ({"kind": 429, "skip": -1}, "skip"),
        ({"kind": 429, "resource": "faxes"}, "resource"),
        ({"kind": 429, "route": "delete"}, "route"),
        ({"kind": 429, "operation_id": ""}, "operation_id"),
        ({"kind": 429, "retry_after": -1}, "retry_after"),
        ({"kind": 429, "retry_after": "1\r\nX: 2"}, "retry_after"),
        ({"kind": 429, "retry_after_form": "weeks"}, "retry_after_form"),
        ({"kind": "slow", "seconds": "1"}, "seconds"),
        ({"kind": "drip_body", "interval": -1}, "interval"),
        ({"kind": "redirect"}, "location"),
        ({"kind": "redirect", "location": "/", "status": 200}, "status"),
        ({"kind": "raw", "headers": {"a": "\n"}}, "headers"),
        ({"kind": True}, "status"),
        ({"kind": ["hang"]}, "kind"),
        ({"kind": "raw", "headers": {"a": 1}}, "headers"),
        ({"kind": "raw", "headers": 5}, "headers"),
        ({"kind": "raw", "body": 5}, "body"),
        ({"kind": "raw", "body_base64": "!"}, "body_base64"),
        ({"kind": "hang", "hits": 5}, "hits"),
        ({"kind": "hang", "often": 5}, "often"),
    ],
)
def test_a_bad_value_is_refused_by_name(values, field):
    with pytest.raises(FieldError) as caught:
        Fault(**values)

    assert caught.value.field == field


def test_bytes_come_as_base64():
    assert Fault("raw", body_base64="/wA=").body_base64 == b"\xff\x00"
    assert Fault("raw", body="é").body == "é".encode()

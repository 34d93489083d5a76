"""The options of a wait: checked once, carried whole."""

from __future__ import annotations

import json
import math
from datetime import timedelta

import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.waiting.spec import MAX_TIMEOUT, MIN_POKE_INTERVAL_VARIABLE, WaitSpec


def test_it_comes_back_whole_from_json():
    spec = WaitSpec(
        poke_interval=7,
        timeout=9,
        adaptive=True,
        grace=3,
        on_canceled="skip",
        fail_if={"failed": "2%", "read": 5},
        fail_early=True,
    )

    assert WaitSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_what_another_version_wrote_is_read_as_far_as_it_is_known():
    assert WaitSpec.from_json({"poke_interval": 7, "from_the_future": 1}) == WaitSpec(poke_interval=7)


def test_durations_may_be_timedeltas_and_none_means_no_threshold():
    spec = WaitSpec.parse(poke_interval=timedelta(minutes=1), grace=timedelta(seconds=5), fail_if=None)

    assert spec == WaitSpec(poke_interval=60, grace=5)


@pytest.mark.parametrize("timeout", [timedelta.max, math.inf, 1e308, 10**400])
def test_a_timeout_without_end_ends_in_a_year(timeout):
    assert WaitSpec.parse(timeout=timeout).timeout == MAX_TIMEOUT


@pytest.mark.parametrize("poke_interval", [0, 0.001, timedelta(0)])
def test_polls_lie_a_second_apart_at_least(monkeypatch, poke_interval):
    monkeypatch.delenv(MIN_POKE_INTERVAL_VARIABLE, raising=False)

    assert WaitSpec.parse(poke_interval=poke_interval).poke_interval == 1


@pytest.mark.parametrize("floor", ["nan", "-1", "inf", "-inf", "fast", ""])
def test_a_floor_that_is_no_duration_takes_the_floor_away_from_nobody(monkeypatch, floor):
    monkeypatch.setenv(MIN_POKE_INTERVAL_VARIABLE, floor)

    assert WaitSpec.parse(poke_interval=0).poke_interval == 1


@pytest.mark.parametrize(
    "options",
    [
        {"poke_interval": -1},
        {"poke_interval": math.nan},
        {"poke_interval": "60"},
        {"poke_interval": True},
        {"adaptive": "false"},
        {"adaptive": None},
        {"fail_early": "false"},
        {"timeout": -1},
        {"timeout": math.nan},
        {"timeout": None},
        {"grace": math.nan},
        {"grace": -5},
        {"on_canceled": "ignore"},
        {"on_canceled": ["fail"]},
        {"fail_if": [("failed", 1)]},
        {"fail_if": ["failed"]},
        {"fail_if": "failed"},
        {"fail_if": {"failed": math.nan}},
        {"fail_if": {"failed": [1]}},
        {"fail_if": {"failed": "9" * 5000 + "%"}},
        {"fail_if": {"failed": "1e5%"}},
        {"fail_if": {1: 1}},
    ],
)
def test_what_cannot_be_right_is_refused_by_its_name(options):
    with pytest.raises(CommsArgumentError, match=next(iter(options))):
        WaitSpec.parse(**options)

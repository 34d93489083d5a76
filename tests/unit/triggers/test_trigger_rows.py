"""Rows of the trigger table stay readable, whatever version wrote them."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from importlib import import_module
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_comms.tasks.result import end_from_event, result_of
from airflow_provider_comms.triggers.operation import CommsOperationTrigger
from airflow_provider_comms.waiting.spec import WaitSpec

ROWS = sorted((Path(__file__).parent / "trigger_rows").glob("*.json"))


TRIGGER = "airflow_provider_comms.triggers.operation.CommsOperationTrigger"


def make(row):
    module, _, name = row["classpath"].rpartition(".")
    return getattr(import_module(module), name)(**row["kwargs"])


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_a_row_of_each_version_can_be_made_and_written_again(path):
    row = json.loads(path.read_text())
    trigger = make(row)
    classpath, kwargs = trigger.serialize()

    assert classpath == row["classpath"]
    expected = {"next_poll_at" if name == "next_look_at" else name: value for name, value in row["kwargs"].items()}
    assert {name: kwargs[name] for name in expected} == expected
    assert make({"classpath": classpath, "kwargs": json.loads(json.dumps(kwargs))}).serialize() == (classpath, kwargs)


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_the_options_of_a_row_of_each_version_are_those_of_its_wait(path):
    row = json.loads(path.read_text())["kwargs"]
    spec = WaitSpec.from_json(make({"classpath": TRIGGER, "kwargs": row}).options)

    for name in ("poke_interval", "timeout", "adaptive", "grace", "on_canceled", "fail_if"):
        assert getattr(spec, name) == row[name]
    assert spec.fail_early is row.get("fail_early", False)


def test_the_newest_row_is_kept_among_them():
    newest = json.loads(ROWS[-1].read_text())
    assert set(CommsOperationTrigger().serialize()[1]) == set(newest["kwargs"]), "a new shape: keep a row of it"


def test_a_row_is_plain_json_and_holds_no_secret():
    text = json.dumps(CommsOperationTrigger(resource="emails", operation_id=["a", "b"]).serialize())
    assert "password" not in text


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"resource": "sms"},
        {"operation_id": None},
        {"from_the_future": 1},
        {"resource": "emails", "operation_id": "a", "poke_interval": math.nan},
        {"resource": "emails", "operation_id": "a", "timeout": math.nan},
        {"resource": "emails", "operation_id": "a", "timeout": None},
        {"resource": "emails", "operation_id": "a", "grace": math.nan},
        {"resource": "emails", "operation_id": "a", "fail_if": ["failed"]},
    ],
)
def test_making_it_never_raises_and_what_is_wrong_becomes_its_event(kwargs):
    async def first_event():
        return await anext(CommsOperationTrigger(**kwargs).run())

    event = asyncio.run(first_event()).payload

    assert event["verdict"] == "failed"
    assert event["reason"] == "refused"


@pytest.mark.parametrize("retry_at", [{"a": None}, {"a": "soon"}, [1], "x"])
def test_a_retry_after_of_another_type_is_none(retry_at):
    assert CommsOperationTrigger(retry_at=retry_at).retry_at == {}


def test_a_connection_that_is_missing_is_told_as_such():
    async def first_event():
        trigger = CommsOperationTrigger(resource="emails", operation_id="a", comms_conn_id="nobody_made_it")
        return await anext(trigger.run())

    event = asyncio.run(first_event()).payload

    assert (event["verdict"], event["reason"]) == ("failed", "no connection")
    with pytest.raises(AirflowNotFoundException, match="nobody_made_it"):
        result_of(end_from_event(event), is_list=False, log=logging.getLogger("task"))

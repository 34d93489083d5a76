"""Rows of the trigger table are read for ever, whatever version wrote them."""

from __future__ import annotations

import asyncio
import json
import logging
from importlib import import_module
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_comms.tasks.result import conclude
from airflow_provider_comms.triggers.operation import CommsOperationTrigger

ROWS = sorted((Path(__file__).parent / "trigger_rows").glob("*.json"))


def make(row):
    module, _, name = row["classpath"].rpartition(".")
    return getattr(import_module(module), name)(**row["kwargs"])


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_a_row_of_each_version_can_be_made_and_written_again(path):
    row = json.loads(path.read_text())
    classpath, kwargs = make(row).serialize()

    assert classpath == row["classpath"]
    assert {name: kwargs[name] for name in row["kwargs"]} == row["kwargs"]


def test_the_newest_row_is_kept_among_them():
    newest = json.loads(ROWS[-1].read_text())
    assert set(CommsOperationTrigger().serialize()[1]) == set(newest["kwargs"]), "a new shape: keep a row of it"


def test_a_row_is_plain_json_and_holds_no_secret():
    text = json.dumps(CommsOperationTrigger(resource="emails", operation_id=["a", "b"]).serialize())
    assert "password" not in text


@pytest.mark.parametrize("kwargs", [{}, {"resource": "sms"}, {"operation_id": None}, {"from_the_future": 1}])
def test_making_it_never_raises_and_what_is_wrong_becomes_its_event(kwargs):
    async def first_event():
        return await anext(CommsOperationTrigger(**kwargs).run())

    event = asyncio.run(first_event()).payload

    assert event["verdict"] == "failed"
    assert event["reason"] == "refused"


def test_a_connection_that_is_missing_is_told_as_such():
    async def first_event():
        trigger = CommsOperationTrigger(resource="emails", operation_id="a", comms_conn_id="nobody_made_it")
        return await anext(trigger.run())

    event = asyncio.run(first_event()).payload

    assert (event["verdict"], event["reason"]) == ("failed", "no connection")
    with pytest.raises(AirflowNotFoundException, match="nobody_made_it"):
        conclude(event, logging.getLogger("task"))

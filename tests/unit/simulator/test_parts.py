"""The small parts: credentials, the clock, settings, addresses, and the wall around the room."""

from __future__ import annotations

import ast
import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_provider_comms import simulator
from airflow_provider_comms.simulator import FieldError, Settings, Simulator
from airflow_provider_comms.simulator.clock import Clock, iso, milliseconds
from airflow_provider_comms.simulator.credentials import Credentials
from airflow_provider_comms.simulator.server import bind

ROOM = "airflow_provider_comms.simulator"


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "user"),
    [
        (basic("AC1:token"), "AC1"),
        (basic("SK1:with:colon"), "SK1"),
        (basic("AC1:token").replace("Basic", "basic"), "AC1"),
        (basic("AC1:wrong"), None),
        (basic("AC2:token"), None),
        (basic("AC1:tökén"), None),
        (basic("AC1"), None),
        ("Bearer token", None),
        ("Basic !!!", None),
        ("Basic " + base64.b64encode(b"\xff\xfe").decode(), None),
        ("", None),
        (None, None),
    ],
)
def test_basic_authentication(header, user):
    assert Credentials({"AC1": "token", "SK1": "with:colon"}).identify(header) == user


def test_permissions_are_per_credential_and_resource():
    credentials = Credentials({"AC1": "token", "SK1": "secret"})
    credentials.permit("SK1", "emails", allowed=False)

    assert not credentials.allows("SK1", "emails", "list")
    assert credentials.allows("SK1", "messages", "list")
    assert credentials.allows("AC1", "emails", "list")
    with pytest.raises(FieldError, match="credential: no such user name"):
        credentials.permit("SK2", "emails", allowed=True)


def test_the_clock_runs_on_or_stands_and_moves_forward_when_told():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    clock = Clock(start, frozen=True)
    clock.advance(1.5)

    assert clock.now_ms() == milliseconds(start, "start") + 1500
    assert abs(Clock().now_ms() - milliseconds(datetime.now(UTC), "now")) < 1000
    with pytest.raises(FieldError, match="seconds: leads to a time"):
        clock.advance(1e12)
    with pytest.raises(FieldError, match="start: must carry a time zone"):
        Clock(start.replace(tzinfo=None))


def test_dates_are_written_with_milliseconds():
    assert iso(1_767_225_600_007) == "2026-01-01T00:00:00.007Z"


@pytest.mark.parametrize(
    ("name", "value"),
    [("latency", -1), ("rate_limit", 0), ("order", "random"), ("empty_pages", 1), ("list_lag", "1"), ("colour", 1)],
)
def test_a_bad_setting_is_refused_by_name(name, value):
    with pytest.raises(FieldError) as caught:
        Simulator(**{name: value})

    assert caught.value.field == name


def test_settings_that_make_sense():
    assert Settings(rate_limit=1, order="oldest-first", omit_next=True).rate_limit == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_only_loopback_addresses_are_served(host):
    with pytest.raises(FieldError, match="host: must be a loopback address"):
        bind(host, 0)


def test_the_room_imports_nothing_of_its_neighbours_nor_of_airflow():
    foreign = set()
    for file in Path(simulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                foreign |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                foreign.add(node.module or "relative")

    assert not {name for name in foreign if name.startswith("airflow") and not name.startswith(ROOM)}
    assert {name.split(".")[0] for name in foreign} & {"httpx", "relative"} == set()

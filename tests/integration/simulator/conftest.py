"""A simulator per test, and a client that knows its credentials."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_comms.simulator import Simulator


@pytest.fixture
def simulator():
    with Simulator() as running:
        yield running


@pytest.fixture
def api(simulator):
    """A client of the API with the account's credentials."""
    with httpx.Client(
        base_url=f"{simulator.url}/v1", auth=(simulator.account_sid, simulator.auth_token), timeout=30
    ) as client:
        yield client


@pytest.fixture
def control(simulator):
    """A client of the control endpoint."""
    with httpx.Client(base_url=f"{simulator.url}/control", timeout=30) as client:
        yield client

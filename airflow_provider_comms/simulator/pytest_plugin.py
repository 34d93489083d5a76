"""
The simulator as a pytest fixture, for tests of your own DAGs.

Take it up in your ``conftest.py``::

    pytest_plugins = ["airflow_provider_comms.simulator.pytest_plugin"]

and ask for it in a test::

    def test_my_dag(comms_simulator, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", comms_simulator.connection_json())
        operation_id = comms_simulator.add_operation("emails", processing_for=60)
        comms_simulator.advance(60)  # a minute passes at once
        ...

It sets nothing outside itself: no environment variable, no connection.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_comms.simulator.simulator import Simulator


@pytest.fixture
def comms_simulator() -> Iterator[Simulator]:
    """A running simulator without any operation, new for each test, stopped after it."""
    with Simulator() as simulator:
        yield simulator

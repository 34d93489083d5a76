"""
A Comms API v1 on loopback, for demos, tests and your own DAG tests.

It knows nothing of the rest of this package, so that tests against it are tests against something independent.

.. code-block:: python

    from airflow_provider_comms.simulator import Simulator

    with Simulator() as simulator:
        operation_id = simulator.add_operation("emails", recipients=500, failed=0.02)
        simulator.fault(429, retry_after=2, times=1)
        simulator.advance(60)

From a shell: ``python -m airflow_provider_comms.simulator --help``. In pytest: :mod:`.pytest_plugin`.
"""

from __future__ import annotations

from airflow_provider_comms.simulator.credentials import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_API_KEY_SECRET,
    DEFAULT_API_KEY_SID,
    DEFAULT_AUTH_TOKEN,
)
from airflow_provider_comms.simulator.faults import Fault
from airflow_provider_comms.simulator.fields import FieldError
from airflow_provider_comms.simulator.plans import OperationPlan
from airflow_provider_comms.simulator.request_log import LoggedRequest
from airflow_provider_comms.simulator.sends import AcceptedSend
from airflow_provider_comms.simulator.server import ServerError
from airflow_provider_comms.simulator.settings import Settings
from airflow_provider_comms.simulator.simulator import Simulator

__all__ = [
    "DEFAULT_ACCOUNT_SID",
    "DEFAULT_API_KEY_SECRET",
    "DEFAULT_API_KEY_SID",
    "DEFAULT_AUTH_TOKEN",
    "AcceptedSend",
    "Fault",
    "FieldError",
    "LoggedRequest",
    "OperationPlan",
    "ServerError",
    "Settings",
    "Simulator",
]

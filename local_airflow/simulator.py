"""The simulated Comms API beside a local Airflow: a process of its own."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from airflow_provider_comms.simulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from local_airflow.waiting import wait_for

if TYPE_CHECKING:
    from local_airflow.processes import Component, Processes

_URL = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class OperationState:
    """What the API says of an operation."""

    status: str
    counters: dict[str, int]


class Simulator:
    """
    A Comms API on this machine.

    :param processes: what starts and stops it
    :param lives_for: seconds after which it stops by itself
    """

    def __init__(self, processes: Processes, lives_for: float) -> None:
        command = [sys.executable, "-m", "airflow_provider_comms.simulator"]
        options = ["--port", "0", "--stop-after", f"{lives_for:.0f}", "--with-parent"]
        component = processes.start("simulator", [*command, *options], os.environ)
        self.url = wait_for(lambda: _printed_url(component), what="the simulator", seconds=20, every=0.1)
        self._http = httpx.Client(
            base_url=self.url, auth=(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN), timeout=10.0, trust_env=False
        )
        self._plans: dict[str, dict[str, Any]] = {}

    @property
    def connection(self) -> str:
        """The Airflow connection to it, as JSON."""
        login = {"login": DEFAULT_ACCOUNT_SID, "password": DEFAULT_AUTH_TOKEN}
        return json.dumps({"conn_type": "twilio_comms", "host": self.url, **login})

    def create_operation(self, resource: str, **plan: Any) -> str:
        """
        Create an operation.

        :param resource: ``emails`` or ``messages``
        :param plan: how it proceeds: ``scheduled_for`` and ``processing_for`` in seconds, ``recipients`` ...
        :return: its id
        """
        body = {"resource": resource, **plan}
        (operation_id,) = self._http.post("/control/operations", json=body).raise_for_status().json()["ids"]
        self._plans[operation_id] = {name: value for name, value in plan.items() if name != "created_at"}
        return str(operation_id)

    def end_operation(self, resource: str, operation_id: str) -> None:
        """Let an operation end now that would go on for longer."""
        created_at = datetime.fromisoformat(self._read(resource, operation_id)["createdAt"])
        age = (datetime.now(UTC) - created_at).total_seconds()
        plan = self._plans[operation_id] | {"processing_for": age}
        body = {"resource": resource, "operation_id": operation_id, **plan}
        self._http.post("/control/operations/change", json=body).raise_for_status()

    def change_settings(self, **changes: Any) -> None:
        """Change how it behaves, such as ``send_plan``: what the operations of accepted sends do."""
        self._http.post("/control/settings", json=changes).raise_for_status()

    def add_fault(self, kind: str | int, **fields: Any) -> None:
        """Let something go wrong, such as ``add_fault(500, route="send", accept=True, times=1)``."""
        self._http.post("/control/faults", json={"kind": kind, **fields}).raise_for_status()

    def sends(self, resource: str) -> dict[str, Any]:
        """
        Return what was accepted.

        :return: ``sends``, ``recipients``, ``distinct`` (numbers), ``repeated`` (counts above 1 by recipient) and
            ``recent`` (the latest sends)
        """
        return dict(self._http.get("/control/sends").raise_for_status().json()[resource])

    def fetch(self, resource: str, operation_id: str) -> OperationState:
        """Return the operation's state, read through the public API."""
        body = self._read(resource, operation_id)
        return OperationState(body["status"], body["stats"])

    def _read(self, resource: str, operation_id: str) -> dict[str, Any]:
        path = f"/v1/{resource.capitalize()}/Operations/{operation_id}"
        return dict(self._http.get(path).raise_for_status().json())


def _printed_url(component: Component) -> str | None:
    component.check()
    found = _URL.search(component.log.read_text())
    return found and found.group()

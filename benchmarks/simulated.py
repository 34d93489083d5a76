"""The simulated API in a process of its own, so that its CPU is not counted as the client's."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.measure import LONGEST, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86_400.0
LIVES_FOR = 4 * LONGEST


@dataclass(frozen=True)
class SimulatedApi:
    """
    A simulator that runs.

    :param url: its base URL.
    """

    url: str

    @property
    def access(self) -> dict[str, Any]:
        """The credentials and address that a client needs: fields of `ClientSettings`."""
        from airflow_provider_comms.simulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN

        return {"base_url": self.url, "username": DEFAULT_ACCOUNT_SID, "password": DEFAULT_AUTH_TOKEN}

    def connection(self, conn_type: str) -> str:
        """Return an Airflow connection to it, as JSON."""
        access = self.access
        return json.dumps(
            {
                "conn_type": conn_type,
                "host": self.url,
                "login": access["username"],
                "password": access["password"],
            }
        )

    def counts(self) -> dict[str, Any]:
        """Return what was asked since the last :meth:`forget_requests`: `total`, `max_in_flight`, `by_status` ..."""
        return dict(self._control("GET", "requests"))

    def forget_requests(self) -> None:
        """Start counting from 0."""
        self._control("DELETE", "requests")

    def settings(self, **changes: Any) -> None:
        """Change settings, such as `latency` (seconds) and `rate_limit` (requests per second)."""
        self._control("POST", "settings", changes)

    def seed(self, count: int, **fields: Any) -> None:
        """Add e-mail operations that have ended; `spread` in seconds and `until` say when they were created."""
        self._control("POST", "seed", {"resource": "emails", "count": count, "processing_for": 0, **fields})

    def begin(self, count: int, **fields: Any) -> list[str]:
        """Begin e-mail operations now; return their ids."""
        plan = {"resource": "emails", **fields}
        return list(self._control("POST", "operations", {"operations": [plan] * count})["ids"])

    def end_faults(self) -> None:
        """Let nothing go wrong any more."""
        self._control("DELETE", "faults")

    def reset(self) -> None:
        """Forget all that was sent, asked and set."""
        self._control("POST", "reset", {})

    def accepted_recipients(self) -> dict[str, int]:
        """Return how often each recipient of an e-mail was accepted."""
        return dict(self._control("GET", "sends/recipients")["emails"])

    def sends(self) -> dict[str, Any]:
        """Return of the e-mails that were accepted: `sends`, `recipients`, `distinct`, `repeated` ..."""
        return dict(self._control("GET", "sends")["emails"])

    def advance(self, seconds: float) -> None:
        """Move its clock on."""
        self._control("POST", "clock", {"advance": seconds})

    def fault(self, kind: int | str, **fields: Any) -> None:
        """Let requests go wrong from now on."""
        self._control("POST", "faults", {"kind": kind, **fields})

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/control/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextmanager
def simulated_api(*, emails: int = 0, spread: float = DAY, latency: float = 0.0) -> Iterator[SimulatedApi]:
    """
    Run a simulator with e-mail operations that have all ended.

    :param emails: how many.
    :param spread: seconds over which they were created, up to now.
    :param latency: seconds added to each answer.
    """
    options = {"emails": emails, "spread": spread, "latency": latency, "duration": 0, "stop-after": LIVES_FOR}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "airflow_provider_comms.simulator", "--port=0", "--with-parent", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield SimulatedApi(_url_of(process))
        finally:
            process.terminate()


def _url_of(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline().strip() if process.stdout else ""
    if not line.startswith("http://"):
        raise RuntimeError("The simulator did not start; its error stands above.")
    return line

"""A small client of Airflow's REST API, version 2: just the requests that the demo and the tests make."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

TERMINAL_RUN_STATES = frozenset({"success", "failed"})
LOCKED_TRIES = 3
"""
Requests to start a run. The API server logs each one to the database on its event loop; where a task of another request
holds SQLite's lock at that moment, both wait for the other until SQLite gives up, and the answer is a 500.
"""
_FOLD = re.compile(r".*::(end)?group::")
"""Marks in a log that tell the web UI what to fold."""


@dataclass(frozen=True)
class TaskInstance:
    """One task of one run; ``map_index`` is -1 unless the task is mapped."""

    run_id: str
    task_id: str
    map_index: int
    state: str
    try_number: int
    operator: str
    start: datetime | None
    end: datetime | None

    @property
    def name(self) -> str:
        """What to call it: ``wait``, or ``wait[2]`` for the third of a mapped task."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """Read a task instance as Airflow writes it; a task that the scheduler has not seen yet is ``none``."""
        return cls(
            run_id=body["dag_run_id"],
            task_id=body["task_id"],
            map_index=body["map_index"],
            state=body["state"] or "none",
            try_number=body["try_number"],
            operator=body["operator_name"] or body["operator"] or "",
            start=_parse_datetime(body["start_date"]),
            end=_parse_datetime(body["end_date"]),
        )


@dataclass(frozen=True)
class Event:
    """One line of Airflow's event log: a task instance entered ``name`` (a state) at ``when``."""

    name: str
    when: datetime


@dataclass(frozen=True)
class Slots:
    """How busy the workers are: ``running`` of ``total`` slots hold a task, ``deferred`` tasks hold none."""

    running: int
    total: int
    deferred: int


class AirflowApi:
    """
    Airflow's REST API.

    :param url: where the API server listens, such as ``http://127.0.0.1:8080``
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=20.0, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> dict[str, str]:
        """
        Return the status of each component, such as ``healthy``; empty if the API server does not answer.

        The API that tasks talk to is among them: it is built at its first request, which takes seconds that the
        first task would otherwise spend.
        """
        try:
            components = self._http.get("/api/v2/monitor/health").raise_for_status().json()
            execution_api = self._http.get("/execution/health").raise_for_status().json()
        except httpx.HTTPError:
            return {}
        parts = {**components, "execution_api": execution_api}
        return {name: part["status"] or "not started" for name, part in parts.items()}

    def log_in(self) -> None:
        """Take a token; with SimpleAuthManager's "all admins" it needs no password."""
        token = self._http.get("/auth/token").raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def dag_is_known(self, dag_id: str) -> bool:
        """Say whether the DAG has been parsed."""
        answer = self._http.get(f"/api/v2/dags/{dag_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        return bool(answer.raise_for_status())

    def import_errors(self) -> dict[str, str]:
        """Return the stack trace for each DAG file that could not be imported."""
        errors = self._get("importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run this DAG."""
        self._http.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).raise_for_status()

    def unpause_all(self) -> None:
        """Let the scheduler run all DAGs, by one request."""
        every = {"dag_id_pattern": "~", "limit": "100"}
        self._http.patch("/api/v2/dags", params=every, json={"is_paused": False}).raise_for_status()

    def set_connection(self, conn_id: str, fields: Mapping[str, Any]) -> None:
        """Store a connection in Airflow's database, in place of what is there under its id."""
        body = {"connection_id": conn_id, **fields}
        if "extra" in fields:
            body["extra"] = json.dumps(fields["extra"])
        answer = self._http.post("/api/v2/connections", json=body)
        if answer.status_code == httpx.codes.CONFLICT:
            answer = self._http.patch(f"/api/v2/connections/{conn_id}", json=body)
        answer.raise_for_status()

    def trigger(
        self,
        dag_id: str,
        conf: dict[str, Any],
        *,
        run_id: str | None = None,
        logical_date: datetime | None = None,
    ) -> str:
        """Start a run and return its id; only with a logical date does it have a data interval."""
        date = logical_date and logical_date.isoformat()
        run_id = run_id or f"manual__{datetime.now(UTC).isoformat()}"
        body = {"conf": conf, "logical_date": date, "dag_run_id": run_id}
        for _ in range(LOCKED_TRIES):
            answer = self._http.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body)
            if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                break
        answer.raise_for_status()
        return run_id

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self._get(_run_path(dag_id, run_id))["state"])

    def tasks(self, dag_id: str, run_id: str = "~") -> list[TaskInstance]:
        """Return the task instances of one run, or of all runs of the DAG."""
        body = self._get(f"{_run_path(dag_id, run_id)}/taskInstances", limit=1000)
        return [TaskInstance.read(each) for each in body["task_instances"]]

    def clear(self, dag_id: str, run_id: str) -> None:
        """Clear all tasks of a run, those that have succeeded too, so that they run again."""
        body = {"dry_run": False, "dag_run_id": run_id, "only_failed": False, "reset_dag_runs": True}
        self._http.post(f"/api/v2/dags/{dag_id}/clearTaskInstances", json=body).raise_for_status()

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str, map_index: int = -1) -> Any:
        """Return the value that a task left for others."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{task_id}/xcomEntries/{quote(key)}"
        return self._get(path, map_index=map_index, deserialize=True)["value"]

    def log(self, dag_id: str, task: TaskInstance) -> str:
        """
        Return the log of a task instance's last try, a line for each message.

        Left out is what only matters in a browser or inside Airflow; the first lines say where the whole log is.
        """
        path = f"{_run_path(dag_id, task.run_id)}/taskInstances/{task.task_id}/logs/{task.try_number}"
        content = self._get(path, map_index=task.map_index, full_content=True)["content"]
        return "\n".join(line for message in content if not _FOLD.match(line := _log_line(message)))

    def events(self, dag_id: str, run_id: str, task_id: str) -> list[Event]:
        """Return what Airflow's event log holds of a task, oldest first."""
        body = self._get("eventLogs", dag_id=dag_id, run_id=run_id, task_id=task_id, order_by="when")
        return [Event(each["event"], datetime.fromisoformat(each["when"])) for each in body["event_logs"]]

    def slots(self) -> Slots:
        """Return how many worker slots are in use."""
        pool = self._get("pools/default_pool")
        return Slots(pool["running_slots"], pool["slots"], pool["deferred_slots"])

    def _get(self, path: str, **query: str | int | bool) -> Any:
        return self._http.get(f"/api/v2/{path}", params=query).raise_for_status().json()


def _run_path(dag_id: str, run_id: str) -> str:
    return f"dags/{dag_id}/dagRuns/{quote(run_id, safe='~')}"


def _parse_datetime(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _log_line(message: str | dict[str, Any]) -> str:
    if isinstance(message, str):
        return message
    words = [str(message[key]).rstrip() for key in ("timestamp", "level", "event") if message.get(key)]
    return "\n".join([" ".join(words), *map(_exception_text, message.get("error_detail") or [])])


def _exception_text(detail: dict[str, Any]) -> str:
    own = [frame for frame in detail["frames"] if "/airflow/sdk/" not in frame["filename"]]
    lines = [f'  File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}' for frame in own]
    return "\n".join([*lines, f"{detail['exc_type']}: {detail['exc_value']}"])

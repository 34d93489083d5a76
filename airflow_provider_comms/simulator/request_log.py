"""What was asked and answered: what a path names, the request log, its counts, and the rate limit."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

from airflow_provider_comms.simulator.connection import Request
from airflow_provider_comms.simulator.identifiers import Resource, Route

_PATH = re.compile(r"/v1/(Emails|Messages)(?:/(Operations)(?:/([^/]+))?)?")
_RESOURCES: dict[str, Resource] = {"Emails": "emails", "Messages": "messages"}
_KEPT_REQUESTS = 100_000
_KEPT_HEADERS = ("accept", "accept-encoding", "connection", "cookie", "host", "user-agent")


class Target(NamedTuple):
    """What a request is about; ``operation_id`` is that of the operation to fetch."""

    resource: Resource
    route: Route
    operation_id: str | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that the API knows there."""
        return ("GET", "POST") if self.route in ("send", "find") else ("GET",)


def read_target(path: str, method: str = "GET") -> Target | None:
    """The target of a decoded path, or None where the API has nothing there."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    resource = _RESOURCES[found[1]]
    if found[2] is None:
        return Target(resource, "send" if method == "POST" else "find")
    return Target(resource, "fetch" if found[3] else "list", found[3])


@dataclass
class LoggedRequest:
    """
    One request; it is in the log from its arrival on.

    :param method: the HTTP method.
    :param path: the decoded path.
    :param query: the query's parameters, with a digest in place of a page token.
    :param resource: ``emails``, ``messages``, or None for a path that the API does not have.
    :param route: ``list``, ``fetch``, ``send``, ``find``, or None likewise.
    :param operation_id: the operation to fetch; else None.
    :param headers: the few headers that are kept; credentials never are.
    :param head_size: bytes of all its header lines.
    :param at: monotonic seconds at its arrival.
    :param status: the HTTP status answered, in whole or in part; None as long as, or where, there is no answer.
    :param fault: the kind of the fault that struck it.
    :param seconds: how long it took; None while it is under way.
    """

    method: str
    path: str
    query: dict[str, str]
    resource: str | None
    route: str | None
    operation_id: str | None
    headers: dict[str, str]
    head_size: int = 0
    at: float = field(default_factory=time.monotonic)
    status: int | None = None
    fault: str | None = None
    seconds: float | None = None

    def line(self) -> str:
        """The request on one line."""
        struck = f" ({self.fault})" if self.fault else ""
        return f"{self.method} {self.path} {self.query or ''} -> {self.status}{struck} {self.seconds or 0:.3f} s"


def log_entry(request: Request, target: Target | None) -> LoggedRequest:
    """A request's entry in the log, without its secrets."""
    query = dict(request.query)
    if token := query.get("pageToken"):
        query["pageToken"] = "sha256:" + hashlib.sha256(token.encode(errors="replace")).hexdigest()[:12]
    headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
    head_size = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    resource, route, operation_id = target or (None, None, None)
    return LoggedRequest(request.method, request.path, query, resource, route, operation_id, headers, head_size)


class RequestLog:
    """The latest requests, and counts of all since the last :meth:`clear`."""

    def __init__(self, on_request: Callable[[LoggedRequest], None] | None = None) -> None:
        self._lock = Lock()
        self._on_request = on_request
        self._in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Forget all requests; those under way still count as in flight."""
        with self._lock:
            self._requests: deque[LoggedRequest] = deque(maxlen=_KEPT_REQUESTS)
            self._routes: Counter[str] = Counter()
            self._statuses: Counter[str] = Counter()
            self._max_in_flight = self._in_flight

    @contextmanager
    def following(self, request: LoggedRequest) -> Iterator[None]:
        """Log a request for as long as it takes."""
        with self._lock:
            self._requests.append(request)
            self._routes[f"{request.resource}.{request.route}" if request.route else "unknown"] += 1
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
        try:
            yield
        finally:
            self.conclude(request)

    def conclude(self, request: LoggedRequest) -> None:
        """Count a request as over; called right before its answer leaves, so that a client finds it so."""
        with self._lock:
            if request.seconds is not None:
                return
            request.seconds = time.monotonic() - request.at
            self._in_flight -= 1
            self._statuses["none" if request.status is None else str(request.status)] += 1
        if self._on_request is not None:
            self._on_request(request)

    def all(self) -> tuple[LoggedRequest, ...]:
        """The latest requests, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def counts(self) -> dict[str, Any]:
        """The counts; ``by_status`` those of the requests that are over."""
        with self._lock:
            return {
                "total": self._routes.total(),
                "in_flight": self._in_flight,
                "max_in_flight": self._max_in_flight,
                "by_route": dict(self._routes),
                "by_status": dict(self._statuses),
            }


class RateLimit:
    """So many requests within any second, by real time."""

    def __init__(self) -> None:
        self._passed: list[float] = []

    def passes(self, per_second: float | None) -> bool:
        """Count a request, and say whether it is within the limit (None: no limit)."""
        if per_second is None:
            return True
        now = time.monotonic()
        self._passed = [at for at in self._passed if at > now - 1]
        if len(self._passed) >= per_second:
            return False
        self._passed.append(now)
        return True

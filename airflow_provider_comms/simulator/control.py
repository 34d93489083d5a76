"""
The control endpoint: everything the Python API can do to a running simulator, over HTTP, as JSON.

A body that cannot be used is a 400 with ``{"error": {"field": ..., "problem": ...}}``.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.simulator.clock import iso
from airflow_provider_comms.simulator.faults import Fault
from airflow_provider_comms.simulator.fields import FieldError, Seconds, Switch, checked
from airflow_provider_comms.simulator.identifiers import RESOURCES
from airflow_provider_comms.simulator.responses import Response, json_response
from airflow_provider_comms.simulator.sends import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_comms.simulator.connection import Request

_RECENT = 100
#: A :class:`.Simulator`, whose module imports this one.
Simulator = Any


def respond(simulator: Simulator, request: Request) -> Response:
    """Do what a request asks for."""
    path = request.path.removeprefix("/control/")
    allowed = sorted(method for method, known in _ROUTES if known == path)
    if request.method not in allowed:
        return refusal(405 if allowed else 404, FieldError("path", f"knows {' and '.join(allowed) or 'nothing'} here"))
    kind = request.headers.get("content-type", "application/json" if not request.body else "none")
    if not kind.lower().startswith("application/json"):  # The forms of any web page can send other types.
        return refusal(415, FieldError("Content-Type", "must be application/json"))
    try:
        return json_response(200, _ROUTES[request.method, path](simulator, _read(request.body)) or {})
    except FieldError as error:
        return refusal(400, error)


def refusal(status: int, error: FieldError) -> Response:
    """The response to what cannot be done."""
    return json_response(status, {"error": {"field": error.field, "problem": error.problem}})


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise FieldError("body", "is not JSON") from error


def _health(simulator: Simulator, _body: Any) -> dict[str, Any]:
    faults = simulator.faults
    return {
        "status": "ok",
        **_clock(simulator, None),
        "operations": simulator.sizes,
        "faults": len(faults) - sum(map(Fault.spent, faults)),
    }


def _clock(simulator: Simulator, _body: Any) -> dict[str, Any]:
    return {"now": iso(simulator.now_ms)}


def _requests(simulator: Simulator, _body: Any) -> dict[str, Any]:
    return {**simulator.request_counts(), "recent": [asdict(request) for request in simulator.requests[-_RECENT:]]}


def _add_operations(simulator: Simulator, body: Any) -> dict[str, Any]:
    return {"ids": _each("operations", body, simulator.add_operation)}


def _add_faults(simulator: Simulator, body: Any) -> dict[str, Any]:
    faults = _each("faults", body, Fault)  # All are read before the first one is in force.
    return {"faults": [simulator.fault(fault).summary() for fault in faults]}


def _change_settings(simulator: Simulator, body: Any) -> dict[str, Any]:
    simulator.change_settings(**_fields(body))
    return _settings(simulator, None)


def _settings(simulator: Simulator, _body: Any) -> dict[str, Any]:
    return dict(simulator.settings)


@checked
def _advance(simulator: Simulator, *, advance: Seconds) -> dict[str, Any]:
    simulator.advance(advance)
    return _clock(simulator, None)


@checked
def _permit(simulator: Simulator, *, credential: str, resource: str, allowed: Switch, route: str | None = None) -> None:
    simulator.permit(credential, resource, allowed, route)


def _sends(simulator: Simulator, _body: Any) -> dict[str, Any]:
    return {resource: summary(simulator.sends, resource) for resource in RESOURCES}


def _recipients(simulator: Simulator, _body: Any) -> dict[str, Any]:
    return {resource: simulator.accepted_recipients(resource) for resource in RESOURCES}


_ROUTES: dict[tuple[str, str], Callable[[Simulator, Any], Any]] = {
    ("GET", "health"): _health,
    ("POST", "operations"): _add_operations,
    ("POST", "operations/change"): lambda simulator, body: simulator.change_operation(**_fields(body)),
    ("POST", "operations/remove"): lambda simulator, body: simulator.remove_operation(**_fields(body)),
    ("POST", "seed"): lambda simulator, body: {"count": simulator.seed(**_fields(body))},
    ("GET", "faults"): lambda simulator, _: {"faults": [fault.summary() for fault in simulator.faults]},
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): lambda simulator, _: simulator.clear_faults(),
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): lambda simulator, _: simulator.clear_requests(),
    ("GET", "clock"): _clock,
    ("POST", "clock"): lambda simulator, body: _advance(simulator, **_fields(body)),
    ("GET", "settings"): _settings,
    ("POST", "settings"): _change_settings,
    ("GET", "sends"): _sends,
    ("GET", "sends/recipients"): _recipients,
    ("POST", "permissions"): lambda simulator, body: _permit(simulator, **_fields(body)),
    ("POST", "reset"): lambda simulator, _: simulator.reset(),
}


def _fields(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise FieldError("body", "must be a JSON object")
    return body


def _each(name: str, body: Any, make: Callable[..., Any]) -> list[Any]:
    """What is made of one object, of each in a list, or of each in ``{name: list}``."""
    if isinstance(body, dict) and name in body:
        body = body[name]
        if not isinstance(body, list):
            raise FieldError(name, "must be a list")
    if not isinstance(body, list):
        return [make(**_fields(body))]
    made = []
    for index, item in enumerate(body):
        with _placed(f"{name}[{index}]."):
            made.append(make(**_fields(item)))
    return made


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Put the place within a list before the field that an error names."""
    try:
        yield
    except FieldError as error:
        raise FieldError(place + error.field, error.problem) from error

"""
The control endpoint: everything the Python API can do to a running simulator, over HTTP, as JSON.

A body that cannot be used is a 400 with ``{"error": {"field": ..., "problem": ...}}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from airflow_provider_comms.simulator.clock import iso
from airflow_provider_comms.simulator.connection import Request
from airflow_provider_comms.simulator.faults import Fault
from airflow_provider_comms.simulator.fields import FieldError, Seconds, Switch, checked
from airflow_provider_comms.simulator.identifiers import RESOURCES
from airflow_provider_comms.simulator.responses import Response, json_response
from airflow_provider_comms.simulator.sends import summary

_RECENT = 100
#: A :class:`.Simulator`, whose module imports this one.
Simulator = Any


def respond(simulator: Simulator, request: Request) -> Response:
    """Do what a request asks for."""
    path = request.path.removeprefix("/control/")
    methods = sorted(method for method, known in ROUTES if known == path)
    if request.method not in methods:
        return refusal(405 if methods else 404, FieldError("path", f"knows {' and '.join(methods) or 'nothing'} here"))
    kind = request.headers.get("content-type", "application/json" if not request.body else "none")
    if not kind.lower().startswith("application/json"):  # The forms of any web page can send other types.
        return refusal(415, FieldError("Content-Type", "must be application/json"))
    try:
        return json_response(200, ROUTES[request.method, path](simulator, _read(request.body)) or {})
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
    return {
        "status": "ok",
        "now": iso(simulator.now_ms),
        "operations": simulator.sizes,
        "sends": len(simulator.sends),
        "faults": sum(not fault.spent() for fault in simulator.faults),
    }


def _add_faults(simulator: Simulator, body: Any) -> dict[str, Any]:
    faults = _each("faults", body, Fault)  # All are read before the first one is in force.
    return {"faults": [simulator.fault(fault).summary() for fault in faults]}


def _requests(simulator: Simulator, _body: Any) -> dict[str, Any]:
    return {**simulator.request_counts(), "recent": [asdict(request) for request in simulator.requests[-_RECENT:]]}


@checked
def _advance(simulator: Simulator, *, advance: Seconds) -> dict[str, Any]:
    simulator.advance(advance)
    return {"now": iso(simulator.now_ms)}


@checked
def _permit(simulator: Simulator, *, credential: str, resource: str, allowed: Switch, route: str | None = None) -> None:
    simulator.permit(credential, resource, allowed, route)


@checked
def _revoke(simulator: Simulator, *, credential: str) -> None:
    simulator.revoke(credential)


def _change_settings(simulator: Simulator, **changes: Any) -> dict[str, Any]:
    simulator.change_settings(**changes)
    return dict(simulator.settings)


def _fields(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise FieldError("body", "must be a JSON object")
    return body


def _each(name: str, body: Any, make: Callable[..., Any]) -> list[Any]:
    """What is made of one object, or of each in a list."""
    if not isinstance(body, list):
        return [make(**_fields(body))]
    made = []
    for index, item in enumerate(body):
        try:
            made.append(make(**_fields(item)))
        except FieldError as error:
            raise FieldError(f"{name}[{index}].{error.field}", error.problem) from error
    return made


#: What each request does with a simulator and the JSON of its body; it returns the answer's body, or None for ``{}``.
ROUTES: dict[tuple[str, str], Callable[[Simulator, Any], Any]] = {
    ("GET", "health"): _health,
    ("POST", "operations"): lambda simulator, body: {"ids": _each("operations", body, simulator.add_operation)},
    ("POST", "operations/change"): lambda simulator, body: simulator.change_operation(**_fields(body)),
    ("POST", "operations/remove"): lambda simulator, body: simulator.remove_operation(**_fields(body)),
    ("POST", "seed"): lambda simulator, body: {"count": simulator.seed(**_fields(body))},
    ("GET", "sends"): lambda simulator, _: {one: summary(simulator.sends, one) for one in RESOURCES},
    ("GET", "sends/recipients"): lambda simulator, _: {one: simulator.accepted_recipients(one) for one in RESOURCES},
    ("GET", "faults"): lambda simulator, _: {"faults": [fault.summary() for fault in simulator.faults]},
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): lambda simulator, _: simulator.clear_faults(),
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): lambda simulator, _: simulator.clear_requests(),
    ("GET", "clock"): lambda simulator, _: {"now": iso(simulator.now_ms)},
    ("POST", "clock"): lambda simulator, body: _advance(simulator, **_fields(body)),
    ("GET", "settings"): lambda simulator, _: dict(simulator.settings),
    ("POST", "settings"): lambda simulator, body: _change_settings(simulator, **_fields(body)),
    ("POST", "permissions"): lambda simulator, body: _permit(simulator, **_fields(body)),
    ("POST", "permissions/revoke"): lambda simulator, body: _revoke(simulator, **_fields(body)),
    ("POST", "reset"): lambda simulator, _: simulator.reset(),
}

"""
The control endpoint: everything the Python API can do to a running simulator, over HTTP, as JSON.

A body that cannot be used is a 400 with ``{"error": {"field": ..., "problem": ...}}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_comms.simulator.clock import iso
from airflow_provider_comms.simulator.faults import Fault
from airflow_provider_comms.simulator.fields import FieldError, Seconds, Switch, checked
from airflow_provider_comms.simulator.identifiers import RESOURCES
from airflow_provider_comms.simulator.responses import Response, json_response
from airflow_provider_comms.simulator.sends import summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.simulator.connection import Request

_RECENT = 100
#: A :class:`.Simulator`, whose module imports this one.
Simulator = Any


def respond(simulator: Simulator, request: Request) -> Response:
    """Do what a request asks for."""
    here = {route.method: route for route in ROUTES if route.path == request.path.removeprefix("/control/")}
    if request.method not in here:
        known = " and ".join(sorted(here)) or "nothing"
        return refusal(405 if here else 404, FieldError("path", f"knows {known} here"))
    kind = request.headers.get("content-type", "application/json" if not request.body else "none")
    if not kind.lower().startswith("application/json"):  # The forms of any web page can send other types.
        return refusal(415, FieldError("Content-Type", "must be application/json"))
    try:
        return json_response(200, here[request.method].act(simulator, _read(request.body)) or {})
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


@checked
def _advance(simulator: Simulator, *, advance: Seconds) -> dict[str, Any]:
    simulator.advance(advance)
    return {"now": iso(simulator.now_ms)}


@checked
def _permit(simulator: Simulator, *, credential: str, resource: str, allowed: Switch, route: str | None = None) -> None:
    simulator.permit(credential, resource, allowed, route)


def _settings(simulator: Simulator, body: Any) -> dict[str, Any]:
    simulator.change_settings(**_fields(body))
    return dict(simulator.settings)


def _requests(simulator: Simulator, _body: Any) -> dict[str, Any]:
    return {**simulator.request_counts(), "recent": [asdict(request) for request in simulator.requests[-_RECENT:]]}


class Route(NamedTuple):
    """
    One thing that can be asked for.

    :param takes: what the body holds.
    :param does: what comes of it.
    :param act: does it; returns the answer's body, or None for an empty object.
    """

    method: str
    path: str
    takes: str
    does: str
    act: Callable[[Simulator, Any], Any]


ROUTES = (
    Route("GET", "health", "", "`status`, `now`, and the numbers of `operations`, `sends` and `faults`", _health),
    Route(
        "POST",
        "operations",
        "the arguments of `add_operation`, or a list of such objects",
        "adds operations; `ids`",
        lambda simulator, body: {"ids": _each("operations", body, simulator.add_operation)},
    ),
    Route(
        "POST",
        "operations/change",
        "`resource`, `operation_id`, fields of a plan",
        "gives an operation another plan",
        lambda simulator, body: simulator.change_operation(**_fields(body)),
    ),
    Route(
        "POST",
        "operations/remove",
        "`resource`, `operation_id`",
        "takes an operation away: a 404 from now on",
        lambda simulator, body: simulator.remove_operation(**_fields(body)),
    ),
    Route(
        "POST",
        "seed",
        "the arguments of `seed`",
        "adds many operations of one plan; their `count`",
        lambda simulator, body: {"count": simulator.seed(**_fields(body))},
    ),
    Route(
        "GET",
        "sends",
        "",
        "by resource: how many `sends` were accepted, of how many `recipients`, how many `distinct` ones, the "
        "`repeated` ones with their counts, and the latest 100 sends (`recent`)",
        lambda simulator, _: {resource: summary(simulator.sends, resource) for resource in RESOURCES},
    ),
    Route(
        "GET",
        "sends/recipients",
        "",
        "by resource: how often each recipient was accepted",
        lambda simulator, _: {resource: simulator.accepted_recipients(resource) for resource in RESOURCES},
    ),
    Route(
        "GET",
        "faults",
        "",
        "the `faults`, with how many requests each one `matched` and `hits`",
        lambda simulator, _: {"faults": [fault.summary() for fault in simulator.faults]},
    ),
    Route("POST", "faults", "the fields of a fault, or a list of such objects", "adds `faults`", _add_faults),
    Route("DELETE", "faults", "", "ends every fault", lambda simulator, _: simulator.clear_faults()),
    Route(
        "GET",
        "requests",
        "",
        "`total`, `in_flight`, `max_in_flight`, `by_route`, `by_status`, and the latest 100 requests (`recent`)",
        _requests,
    ),
    Route("DELETE", "requests", "", "forgets the requests", lambda simulator, _: simulator.clear_requests()),
    Route("GET", "clock", "", "the simulator's time: `now`", lambda simulator, _: {"now": iso(simulator.now_ms)}),
    Route(
        "POST",
        "clock",
        "`advance`: seconds",
        "moves the clock forward; `now`",
        lambda simulator, body: _advance(simulator, **_fields(body)),
    ),
    Route("GET", "settings", "", "the settings", lambda simulator, _: dict(simulator.settings)),
    Route("POST", "settings", "settings to change", "changes settings; all of them", _settings),
    Route(
        "POST",
        "permissions",
        "`credential`, `resource`, `allowed`, and perhaps a `route`",
        "grants a credential a resource, or takes it away: a 403",
        lambda simulator, body: _permit(simulator, **_fields(body)),
    ),
    Route("POST", "reset", "", "forgets everything but the time", lambda simulator, _: simulator.reset()),
)


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
        try:
            made.append(make(**_fields(item)))
        except FieldError as error:
            raise FieldError(f"{name}[{index}].{error.field}", error.problem) from error
    return made

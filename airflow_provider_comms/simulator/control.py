"""
The control endpoint: everything the Python API can do to a running simulator, over HTTP, as JSON.

A body that cannot be used is a 400 with ``{"error": {"field": ..., "problem": ...}}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from airflow_provider_comms.simulator.answers import json_answer
from airflow_provider_comms.simulator.checks import FieldError, mapping, text, truth
from airflow_provider_comms.simulator.clock import iso
from airflow_provider_comms.simulator.faults import Fault, read_fault

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from airflow_provider_comms.simulator.world import World

_RECENT = 100
_SHOWN_OF_A_FAULT = (
    "kind",
    "resource",
    "route",
    "operation_id",
    "status",
    "times",
    "skip",
    "matched",
    "hits",
)
#: Parameters of the Python API that JSON has no use for.
_NO_FIELDS = {"self", "plan"}

Handler = Callable[[Any], Any]


def control_routes(world: World) -> list[Route]:
    """The routes below ``/control``."""
    control = _Control(world)
    return [
        _route("/health", GET=control.health),
        _route("/operations", POST=control.add_operations),
        _route("/operations/change", POST=control.change_operation),
        _route("/operations/remove", POST=control.remove_operation),
        _route("/seed", POST=control.seed),
        _route("/faults", GET=control.faults, POST=control.add_faults, DELETE=control.clear_faults),
        _route("/requests", GET=control.requests, DELETE=control.clear_requests),
        _route("/clock", GET=control.clock, POST=control.advance),
        _route("/settings", GET=control.settings, POST=control.change_settings),
        _route("/permissions", POST=control.permit),
        _route("/reset", POST=control.reset),
    ]


def _route(path: str, **handlers: Handler) -> Route:
    async def answer(request: Request) -> Response:
        try:
            body = await _body(request)
            return json_answer(200, handlers[request.method](body))
        except FieldError as error:
            return json_answer(400, {"error": {"field": error.field, "problem": error.problem}})

    return Route(path, answer, methods=list(handlers))


async def _body(request: Request) -> Any:
    """The JSON of a body; an empty object where there is none."""
    content = await request.body()
    try:
        return json.loads(content) if content else {}
    except (ValueError, RecursionError) as error:
        raise FieldError("body", "is not JSON") from error


class _Control:
    """One method per thing that can be asked for; each takes the body's JSON and returns the answer's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def health(self, _body: Any) -> dict[str, Any]:
        return {
            "status": "ok",
            "now": iso(self._world.clock.now_ms()),
            "operations": self._world.sizes(),
            "faults": sum(not fault.spent() for fault in self._world.faults.all()),
        }

    def add_operations(self, body: Any) -> dict[str, Any]:
        return {"ids": [self._add_operation(place, given) for place, given in _many("operations", body)]}

    def _add_operation(self, place: str, given: Any) -> str:
        with _placed(place):
            fields = _dated(_fields(given, "resource"), "created_at")
            return self._world.add_operation(**fields)

    def change_operation(self, body: Any) -> dict[str, Any]:
        self._world.change_operation(**_fields(body, "resource", "operation_id"))
        return {}

    def remove_operation(self, body: Any) -> dict[str, Any]:
        fields = _fields(body, "resource", "operation_id")
        self._world.remove_operation(fields["resource"], fields["operation_id"])
        return {}

    def seed(self, body: Any) -> dict[str, Any]:
        return {"count": self._world.seed(**_dated(_fields(body, "resource", "count"), "until"))}

    def faults(self, _body: Any) -> dict[str, Any]:
        return {"faults": [_shown(fault) for fault in self._world.faults.all()]}

    def add_faults(self, body: Any) -> dict[str, Any]:
        faults = [_read_fault(place, given) for place, given in _many("faults", body)]
        for fault in faults:
            self._world.faults.add(fault)
        return {"faults": [_shown(fault) for fault in faults]}

    def clear_faults(self, _body: Any) -> dict[str, Any]:
        self._world.faults.clear()
        return {}

    def requests(self, _body: Any) -> dict[str, Any]:
        recent = [asdict(request) for request in self._world.log.all()[-_RECENT:]]
        return self._world.log.counts() | {"recent": recent}

    def clear_requests(self, _body: Any) -> dict[str, Any]:
        self._world.log.clear()
        return {}

    def clock(self, _body: Any) -> dict[str, Any]:
        return {"now": iso(self._world.clock.now_ms())}

    def advance(self, body: Any) -> dict[str, Any]:
        self._world.clock.advance(_fields(body, "advance")["advance"])
        return self.clock(body)

    def settings(self, _body: Any) -> dict[str, Any]:
        return asdict(self._world.settings)

    def change_settings(self, body: Any) -> dict[str, Any]:
        self._world.change_settings(mapping("body", body))
        return self.settings(body)

    def permit(self, body: Any) -> dict[str, Any]:
        fields = _fields(body, "credential", "resource", "allowed")
        allowed = truth("allowed", fields["allowed"])
        self._world.credentials.permit(text("credential", fields["credential"]), fields["resource"], allowed)
        return {}

    def reset(self, _body: Any) -> dict[str, Any]:
        self._world.reset()
        return {}


def _fields(body: Any, *required: str) -> dict[str, Any]:
    """The fields of a JSON object, none of the required ones missing."""
    fields = mapping("body", body)
    for name in required:
        if name not in fields:
            raise FieldError(name, "is missing")
    for name in _NO_FIELDS & fields.keys():
        raise FieldError(name, "unknown field; the fields of a plan stand side by side with the others")
    return fields


def _many(name: str, body: Any) -> list[tuple[str, Any]]:
    """What a body holds one or many of, each with its place: an object, a list, or ``{name: list}``."""
    if isinstance(body, dict) and name in body:
        body = body[name]
        if not isinstance(body, list):
            raise FieldError(name, "must be a list")
    if isinstance(body, list):
        return [(f"{name}[{index}].", item) for index, item in enumerate(body)]
    return [("", body)]


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Put the place within a list before the field that an error names."""
    try:
        yield
    except FieldError as error:
        raise FieldError(place + error.field, error.problem) from error


def _read_fault(place: str, given: Any) -> Fault:
    with _placed(place):
        return read_fault(mapping("body", given))


def _dated(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """The fields with an ISO 8601 text turned into a moment."""
    if fields.get(name) is None:
        return fields
    try:
        return fields | {name: datetime.fromisoformat(text(name, fields[name]))}
    except ValueError as error:
        raise FieldError(name, "must be an ISO 8601 date and time with its zone") from error


def _shown(fault: Fault) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in _SHOWN_OF_A_FAULT}

"""The Comms API itself: four routes, of which each answer is made from the state of the moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_comms.simulator.answers import Problem, bad_request, error
from airflow_provider_comms.simulator.delivery import deliver
from airflow_provider_comms.simulator.exchange import Exchange
from airflow_provider_comms.simulator.identifiers import ID_PATTERN
from airflow_provider_comms.simulator.paging import Cursor, Page, make_page
from airflow_provider_comms.simulator.queries import ListQuery, QueryReader
from airflow_provider_comms.simulator.targets import Target, read_target
from airflow_provider_comms.simulator.traffic import note_request

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from airflow_provider_comms.simulator.world import World


class Api:
    """
    The ASGI application under ``/v1``.

    :param world: the state it answers from.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request, target = Request(scope), read_target(scope["path"])
        entry = note_request(request.method, scope["path"], request.query_params, request.headers, target)
        log, request_id = self._world.log, self._world.request_id()
        cookies = self._world.settings.cookies
        exchange = Exchange(
            scope, receive, send, request_id=request_id, entry=entry, conclude=log.conclude, cookies=cookies
        )
        with log.following(entry):
            latency = self._world.settings.latency
            if latency and not await exchange.pause(latency):
                return
            if not self._world.rate_limit.passes(self._world.settings.rate_limit):
                await deliver(None, exchange, _too_fast)
                return
            fault = self._world.faults.take(target)
            entry.fault = str(fault.kind) if fault else None
            await deliver(fault, exchange, lambda: self.respond(request, target))

    def respond(self, request: Request, target: Target | None) -> Response:
        """The answer when nothing goes wrong."""
        with self._world.lock:
            user = self._world.credentials.identify(request.headers.get("authorization"))
            if user is None:
                return error(401)
            if target is None:
                return error(404)
            if request.method != "GET":
                return error(405, {"Allow": "GET"})
            return self._read(request, target, user)

    def _read(self, request: Request, target: Target, user: str) -> Response:
        if not self._world.credentials.may_read(user, target.resource):
            return error(403)
        if target.operation_id is None:
            return self._list(request, target)
        return self._fetch(target, target.operation_id)

    def _fetch(self, target: Target, operation_id: str) -> Response:
        world = self._world
        found = world.shelf(target.resource).fetch(operation_id, world.clock.now_ms())
        if found is not None:
            return _json(found)
        if world.settings.strict_ids and not ID_PATTERN.fullmatch(operation_id):
            return bad_request([Problem("$.operationId", f"operationId must match {ID_PATTERN.pattern}")])
        return error(404)

    def _list(self, request: Request, target: Target) -> Response:
        world = self._world
        reader = QueryReader(target.resource, request.query_params, world.settings, world.tokens)
        query = reader.read()
        if reader.problems:
            return bad_request(reader.problems)
        now_ms = world.clock.now_ms() - round(world.settings.list_lag * 1000)
        shelf = world.shelf(target.resource)
        page = make_page(shelf, query.filters, query.cursor, query.size, settings=world.settings, now_ms=now_ms)
        pagination = json.dumps(self._pagination(query, page)).encode()
        return _json(b'{"operations":[' + b",".join(page.operations) + b'],"pagination":' + pagination + b"}")

    def _pagination(self, query: ListQuery, page: Page) -> dict[str, str | None]:
        settings, own = self._world.settings, self._token(query, query.cursor)
        if settings.loop_tokens and query.continued:
            return {"next": own, "self": own}
        if page.following is not None:
            return {"next": self._token(query, page.following), "self": own}
        return {"self": own} if settings.omit_next else {"next": None, "self": own}

    def _token(self, query: ListQuery, cursor: Cursor) -> str:
        return self._world.tokens.write(cursor, query.listing)


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _too_fast() -> Response:
    return error(429, {"Retry-After": "1"})

"""The Comms API itself: two resources, each sent, found, and its operations listed and fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache, partial
from random import Random
from threading import RLock

from airflow_provider_comms.simulator.clock import EPOCH, Clock
from airflow_provider_comms.simulator.connection import Connection, Request
from airflow_provider_comms.simulator.credentials import Credentials
from airflow_provider_comms.simulator.delivery import deliver
from airflow_provider_comms.simulator.faults import Fault
from airflow_provider_comms.simulator.identifiers import ID_PATTERN, RESOURCES, Resource
from airflow_provider_comms.simulator.items import Batch, items_between
from airflow_provider_comms.simulator.listing import Between, Listing, Tokens
from airflow_provider_comms.simulator.plans import OperationPlan
from airflow_provider_comms.simulator.queries import EmailsQuery, MessagesQuery, OperationsQuery, Query
from airflow_provider_comms.simulator.request_log import (
    LoggedRequest,
    RateLimit,
    RequestLog,
    Target,
    log_entry,
    read_target,
)
from airflow_provider_comms.simulator.responses import BadRequest, Problem, Response, accepted, error, raw_json
from airflow_provider_comms.simulator.send_requests import read_send
from airflow_provider_comms.simulator.sends import AcceptedSend, pack
from airflow_provider_comms.simulator.settings import Settings
from airflow_provider_comms.simulator.store import OperationStore

_COOKIE_BYTES = 200
_ITEM_QUERIES: dict[Resource, type[Query]] = {"emails": EmailsQuery, "messages": MessagesQuery}


class Api:
    """What stands under ``/v1``, and all that it answers from; the parameters are those of :class:`.Simulator`."""

    def __init__(
        self,
        credentials: Credentials,
        settings: Settings,
        clock: Clock,
        seed: int,
        on_request: Callable[[LoggedRequest], None] | None,
    ) -> None:
        #: Held while anything here is read or changed: tests do that in threads of their own.
        self.lock = RLock()
        self.credentials = credentials
        self.settings = self._first_settings = settings
        self.clock = clock
        self.log = RequestLog(on_request)
        # Of its own, so that ids do not depend on how many requests came before.
        self._request_random = Random(f"requests {seed}")  # noqa: S311
        self._random = Random(seed)  # noqa: S311 - repeatable is what is wanted here
        self._tokens = Tokens(self._random.randbytes(16))
        self.reset()

    def reset(self) -> None:
        """Forget operations, faults, the log and every change of settings and permissions; the clock goes on."""
        with self.lock:
            self.settings = self._first_settings
            self.credentials.permit_all()
            self.faults: list[Fault] = []
            self.sends: list[AcceptedSend] = []
            self.stores = {resource: OperationStore(resource, self._random) for resource in RESOURCES}
            self._rate_limit = RateLimit()
        self.log.clear()

    async def respond(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        target, stamps = read_target(request.path, request.method), self._stamps()
        entry = log_entry(request, target)
        normal = cache(partial(self._answer, request, target))

        def make(instead: Response | None = None) -> Response:
            response = instead or normal()
            response.headers = stamps | response.headers
            entry.status = response.status
            return response

        connection.on_end = partial(self.log.conclude, entry)
        with self.log.following(entry):
            limited = not self._rate_limit.passes(self.settings.rate_limit)
            fault = None if limited else self._strike(target)
            entry.fault = fault.kind if fault else None
            if fault and fault.kind == "reset_request":
                connection.reset()
            await connection.read_body(request)
            if fault and fault.accept:
                normal()
            if self.settings.latency:
                await connection.pause(self.settings.latency)
            if limited:
                await connection.send(make(error(429, {"Retry-After": "1"})))
            else:
                await deliver(fault, connection, make)

    def _stamps(self) -> dict[str, str]:
        request_id = f"RQ{self._request_random.randbytes(16).hex()}"
        cookie = {"Set-Cookie": f"session-{request_id}={'x' * _COOKIE_BYTES}; Path=/"}
        return {"Twilio-Request-Id": request_id} | (cookie if self.settings.cookies else {})

    def _strike(self, target: Target | None) -> Fault | None:
        """The first fault that strikes a request, which counts it."""
        with self.lock:
            return next((fault for fault in self.faults if fault.claim(target)), None)

    def _answer(self, request: Request, target: Target | None) -> Response:
        """The answer when nothing goes wrong."""
        with self.lock:
            user = self.credentials.identify(request.headers.get("authorization"))
            if user is None:
                return error(401)
            if target is None:
                return error(404)
            if request.method not in target.methods:
                return error(405, {"Allow": ", ".join(target.methods)})
            if not self.credentials.allows(user, target.resource, target.route):
                return error(403)
            routes = {"list": self._list, "fetch": self._fetch, "find": self._find, "send": self._send}
            try:
                return routes[target.route](request, target)
            except BadRequest as refused:
                return error(400, problems=refused.problems)

    def _list(self, request: Request, target: Target) -> Response:
        query, store = OperationsQuery.read(request.query), self.stores[target.resource]
        return self._page(f"{target.resource}.operations", query, store.between, self.settings.list_lag)

    def _find(self, request: Request, target: Target) -> Response:
        query = _ITEM_QUERIES[target.resource].read(request.query)
        filters, url = dict(query.others()), _location(request, "")
        batches = [batch for batch in self._batches(target.resource, url) if batch.matches(filters)]
        between = partial(items_between, batches, profile=filters.get("profile"))
        return self._page(target.resource, query, between, self.settings.item_lag)

    def _batches(self, resource: Resource, url: str) -> Iterator[Batch]:
        for send in self.sends:
            if operation := self.stores[resource].get(send.operation_id):
                yield Batch(send, operation, self.settings.items_per_second, url)

    def _page(self, name: str, query: Query, between: Between, lag: float) -> Response:
        listing = Listing(name, query, self.settings, self._tokens)
        return raw_json(listing.to_json(between, self.clock.now_ms() - round(lag * 1000)))

    def _fetch(self, _request: Request, target: Target) -> Response:
        operation_id = str(target.operation_id)
        found = self.stores[target.resource].fetch(operation_id, self.clock.now_ms())
        if found is not None:
            return raw_json(found.encode(errors="backslashreplace"))
        if self.settings.strict_ids and not ID_PATTERN.fullmatch(operation_id):
            raise BadRequest([Problem("$.operationId", f"operationId must match {ID_PATTERN.pattern}")])
        return error(404)

    def _send(self, request: Request, target: Target) -> Response:
        resource, now_ms = target.resource, self.clock.now_ms()
        now = EPOCH + timedelta(milliseconds=now_ms)
        count, tags, scheduled_for = read_send(resource, request.headers, request.body, now)
        fields = {"counters": self.settings.counters, **self.settings.send_plan}
        if resource == "emails":
            fields.pop("unaddressable", None)
        plan = OperationPlan(**fields, recipients=count, scheduled_for=scheduled_for)
        operation_id = self.stores[resource].add(plan, now_ms)
        self.sends.append(AcceptedSend(resource, operation_id, now, tags, count, pack(request.body)))
        return accepted(self.settings.accepted_form, operation_id, _location(request, operation_id))


def _location(request: Request, operation_id: str) -> str:
    """The URL of an operation of the resource that a request is for."""
    return f"http://{request.headers['host']}{request.path}/Operations/{operation_id}"

"""The Comms API itself: two resources, each listed and fetched."""

from __future__ import annotations

from functools import partial
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

from airflow_provider_comms.simulator.delivery import deliver
from airflow_provider_comms.simulator.faults import FaultQueue
from airflow_provider_comms.simulator.identifiers import ID_PATTERN, RESOURCES
from airflow_provider_comms.simulator.listing import Listing, Tokens
from airflow_provider_comms.simulator.request_log import RateLimit, RequestLog, log_entry, read_target
from airflow_provider_comms.simulator.responses import BadRequest, Problem, Response, error, raw_json
from airflow_provider_comms.simulator.store import OperationStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.simulator.clock import Clock
    from airflow_provider_comms.simulator.connection import Connection, Request
    from airflow_provider_comms.simulator.credentials import Credentials
    from airflow_provider_comms.simulator.request_log import LoggedRequest, Target
    from airflow_provider_comms.simulator.settings import Settings

_COOKIE_BYTES = 200


class Api:
    """
    What stands under ``/v1``, and all that it answers from.

    :param credentials: who may ask.
    :param settings: how it behaves, until changed.
    :param clock: its time.
    :param seed: makes ids, page tokens and request ids repeatable.
    :param on_request: called with each request when it is over.
    """

    def __init__(
        self,
        credentials: Credentials,
        settings: Settings,
        clock: Clock,
        seed: int = 0,
        on_request: Callable[[LoggedRequest], None] | None = None,
    ) -> None:
        #: Held while operations are read or changed: tests do that in threads of their own.
        self.lock = RLock()
        self.credentials = credentials
        self.settings = self._first_settings = settings
        self.clock = clock
        self.faults = FaultQueue()
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
            self._rate_limit = RateLimit()
            self.stores = {resource: OperationStore(resource, self._random) for resource in RESOURCES}
        self.faults.clear()
        self.log.clear()

    async def respond(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        target, stamps = read_target(request.path), self._stamps()
        entry = log_entry(request.method, request.path, request.query, request.headers, target)

        def make(instead: Response | None = None) -> Response:
            response = instead or self._answer(request, target)
            response.headers = stamps | response.headers
            entry.status = response.status
            return response

        connection.on_end = partial(self.log.conclude, entry)
        with self.log.following(entry):
            if self.settings.latency:
                await connection.pause(self.settings.latency)
            if not self._rate_limit.passes(self.settings.rate_limit):
                await connection.send(make(error(429, {"Retry-After": "1"})))
                return
            fault = self.faults.take(target)
            entry.fault = fault.kind if fault else None
            await deliver(fault, connection, make)

    def _stamps(self) -> dict[str, str]:
        request_id = f"RQ{self._request_random.randbytes(16).hex()}"
        cookie = {"Set-Cookie": f"session-{request_id}={'x' * _COOKIE_BYTES}; Path=/"}
        return {"Twilio-Request-Id": request_id} | (cookie if self.settings.cookies else {})

    def _answer(self, request: Request, target: Target | None) -> Response:
        """The answer when nothing goes wrong."""
        with self.lock:
            user = self.credentials.identify(request.headers.get("authorization"))
            if user is None:
                return error(401)
            if target is None:
                return error(404)
            if request.method != "GET":
                return error(405, {"Allow": "GET"})
            if not self.credentials.may_read(user, target.resource):
                return error(403)
            try:
                return self._read(request, target)
            except BadRequest as refused:
                return error(400, problems=refused.problems)

    def _read(self, request: Request, target: Target) -> Response:
        store, now_ms = self.stores[target.resource], self.clock.now_ms()
        if target.operation_id is None:
            listing = Listing(store, request.query, self.settings, self._tokens)
            return raw_json(listing.to_json(now_ms - round(self.settings.list_lag * 1000)))
        found = store.fetch(target.operation_id, now_ms)
        if found is not None:
            return raw_json(found.encode(errors="backslashreplace"))
        if self.settings.strict_ids and not ID_PATTERN.fullmatch(target.operation_id):
            raise BadRequest([Problem("$.operationId", f"operationId must match {ID_PATTERN.pattern}")])
        return error(404)

"""The simulator as Python code uses it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from airflow_provider_comms.simulator import control
from airflow_provider_comms.simulator.api import Api
from airflow_provider_comms.simulator.clock import EPOCH, Clock, in_range, milliseconds
from airflow_provider_comms.simulator.connection import Connection, Request
from airflow_provider_comms.simulator.credentials import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_API_KEY_SECRET,
    DEFAULT_API_KEY_SID,
    DEFAULT_AUTH_TOKEN,
    Credentials,
)
from airflow_provider_comms.simulator.faults import Fault
from airflow_provider_comms.simulator.fields import FieldError, Seconds, Text, checked
from airflow_provider_comms.simulator.identifiers import Resource, Route
from airflow_provider_comms.simulator.plans import OperationPlan, plan_for
from airflow_provider_comms.simulator.request_log import LoggedRequest
from airflow_provider_comms.simulator.responses import error
from airflow_provider_comms.simulator.sends import AcceptedSend, count_recipients
from airflow_provider_comms.simulator.server import Server, foreign_source
from airflow_provider_comms.simulator.settings import Settings

CONNECTION_TYPE = "twilio_comms"
_Many = Annotated[int, Field(strict=True, ge=0, le=5_000_000)]
_Port = Annotated[int, Field(strict=True, ge=0, le=65535)]


class Simulator(Server):
    """
    A Comms API v1 on loopback, running while it is used as a context manager.

    .. code-block:: python

        with Simulator() as simulator:
            operation_id = simulator.add_operation("emails", processing_for=5)
            monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", simulator.connection_json())

    :param host: a loopback address.
    :param port: the port; 0 for any that is free.
    :param account_sid: the accepted account SID.
    :param auth_token: its auth token.
    :param api_key_sid: the accepted API key SID.
    :param api_key_secret: its secret.
    :param seed: makes ids, page tokens and request ids repeatable.
    :param start: when the simulator's clock begins (aware); the real time if None.
    :param frozen: True stops that clock: only :meth:`advance` moves it then.
    :param on_request: called with each request when it is over, in the server's thread.
    :param settings: any field of :class:`.Settings`, such as ``latency=0.2`` or ``list_lag=3``.
    :raises FieldError: when a value makes no sense.
    """

    @checked
    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: _Port = 0,
        account_sid: Text = DEFAULT_ACCOUNT_SID,
        auth_token: Text = DEFAULT_AUTH_TOKEN,
        api_key_sid: Text = DEFAULT_API_KEY_SID,
        api_key_secret: Text = DEFAULT_API_KEY_SECRET,
        seed: int = 0,
        start: datetime | None = None,
        frozen: bool = False,
        on_request: Callable[[LoggedRequest], None] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(host, port)
        self.account_sid, self.auth_token = account_sid, auth_token
        self.api_key_sid, self.api_key_secret = api_key_sid, api_key_secret
        credentials = Credentials({account_sid: auth_token, api_key_sid: api_key_secret})
        self._api = Api(credentials, Settings(**settings), Clock(start, frozen=frozen), seed, on_request)

    async def _respond(self, connection: Connection, request: Request) -> None:
        foreign = foreign_source(request.headers, self._port)
        if not foreign and request.path.startswith("/v1/"):
            await self._api.respond(connection, request)
            return
        await connection.read_body(request)
        if foreign:
            response = control.refusal(403, foreign)
        elif request.path.startswith("/control/"):
            response = control.respond(self, request)
        else:
            response = error(404)
        await connection.send(response)

    def connection_json(self, *, api_key: bool = False) -> str:
        """
        An Airflow connection to this simulator as JSON, for an ``AIRFLOW_CONN_...`` variable.

        :param api_key: log in with the API key instead of the account.
        """
        login, password = self._login(api_key)
        return json.dumps({"conn_type": CONNECTION_TYPE, "login": login, "password": password, "host": self.url})

    def connection_uri(self, *, api_key: bool = False) -> str:
        """
        The same as :meth:`connection_json` in Airflow's URI form.

        :param api_key: log in with the API key instead of the account.
        """
        login, password, host = (quote(part, safe="") for part in (*self._login(api_key), self.url))
        return f"{CONNECTION_TYPE.replace('_', '-')}://{login}:{password}@{host}"

    def _login(self, api_key: bool) -> tuple[str, str]:
        return (self.api_key_sid, self.api_key_secret) if api_key else (self.account_sid, self.auth_token)

    @checked
    def add_operation(
        self,
        resource: Resource = "emails",
        plan: OperationPlan | None = None,
        *,
        created_at: datetime | None = None,
        age: Seconds | None = None,
        operation_id: Text | None = None,
        **fields: Any,
    ) -> str:
        """
        Add one operation and return its id.

        :param resource: ``emails`` or ``messages``.
        :param plan: what it is to do; or give the fields of :class:`.OperationPlan` by name.
        :param created_at: when it was created (aware); now if None. It does not exist before that moment.
        :param age: the same in seconds before now.
        :param operation_id: an id of your own; one is made if None.
        :raises FieldError: when a value makes no sense.
        """
        if created_at is not None and age is not None:
            raise FieldError("age", "give either created_at or age, not both")
        if created_at is None:
            created_ms = in_range(self._api.clock.now_ms() - round((age or 0.0) * 1000), "age")
        else:
            created_ms = milliseconds(created_at, "created_at")
        with self._api.lock:
            return self._api.stores[resource].add(self._plan(resource, plan, fields), created_ms, operation_id)

    @checked
    def seed(
        self,
        resource: Resource,
        count: _Many,
        plan: OperationPlan | None = None,
        *,
        spread: Seconds = 86_400.0,
        until: datetime | None = None,
        **fields: Any,
    ) -> int:
        """
        Add many operations of one plan, created at even distances; returns how many.

        :param resource: ``emails`` or ``messages``.
        :param count: how many.
        :param plan: what each is to do; or give the fields of :class:`.OperationPlan` by name.
        :param spread: seconds over which their creation is spread.
        :param until: when the last one was created (aware); if None, as late as lets all be over by now.
        :raises FieldError: when a value makes no sense.
        """
        plan, spread_ms = self._plan(resource, plan, fields), round(spread * 1000)
        end_ms = self._api.clock.now_ms() - plan.settles_ms if until is None else milliseconds(until, "until")
        begin_ms = in_range(end_ms - spread_ms, "spread")
        with self._api.lock:
            created_ms = (begin_ms + spread_ms * (place + 1) // count for place in range(count))
            self._api.stores[resource].add_many(plan, created_ms)
        return count

    def _plan(self, resource: Resource, plan: OperationPlan | None, fields: dict[str, Any]) -> OperationPlan:
        return plan_for(resource, plan, fields if plan else {"counters": self.settings.counters, **fields})

    @checked
    def change_operation(
        self, resource: Resource, operation_id: Text, plan: OperationPlan | None = None, **fields: Any
    ) -> None:
        """
        Give an operation another plan, counted from its creation as before.

        :param resource: ``emails`` or ``messages``.
        :param operation_id: id of the operation.
        :param plan: what it is to do from now on; or give the fields of :class:`.OperationPlan` by name.
        :raises FieldError: when there is no such operation or a value makes no sense.
        """
        with self._api.lock:
            self._api.stores[resource].change(operation_id, self._plan(resource, plan, fields))

    @checked
    def remove_operation(self, resource: Resource, operation_id: Text) -> None:
        """
        Take an operation away, as the API does with old ones: it is a 404 from now on.

        :param resource: ``emails`` or ``messages``.
        :param operation_id: id of the operation.
        :raises FieldError: when there is no such operation.
        """
        with self._api.lock:
            self._api.stores[resource].remove(operation_id)

    def fault(self, kind: str | int | Fault, **fields: Any) -> Fault:
        """
        Let something go wrong; see :class:`.Fault` for kinds and fields.

        :param kind: a kind, an HTTP status, or a fault that is ready; the fields of :class:`.Fault` follow by name.
        :returns: the fault; its ``hits`` say how often it has struck.
        :raises FieldError: when a value makes no sense.
        """
        fault = kind if isinstance(kind, Fault) else Fault(kind, **fields)
        with self._api.lock:
            self._api.faults.append(fault)
        return fault

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults added and not cleared, spent ones too."""
        with self._api.lock:
            return tuple(self._api.faults)

    def clear_faults(self) -> None:
        """End every fault; connections that already hang keep hanging until their clients leave."""
        with self._api.lock:
            self._api.faults.clear()

    @property
    def sends(self) -> tuple[AcceptedSend, ...]:
        """The requests to send that were accepted, oldest first, whatever became of their answers."""
        with self._api.lock:
            return tuple(self._api.sends)

    @checked
    def accepted_recipients(self, resource: Resource) -> Counter[str]:
        """
        How often each recipient was accepted: above 1, somebody was sent something twice.

        :param resource: ``emails`` or ``messages``.
        """
        return count_recipients(self.sends, resource)

    @checked
    def permit(self, user: str, resource: Resource, allowed: bool = True, route: Route | None = None) -> None:
        """
        Grant a credential a resource, or take it away: its requests are then a 403 with code 70051.

        :param user: the account SID or API key SID.
        :param resource: ``emails`` or ``messages``.
        :param allowed: whether it is granted.
        :param route: only ``list`` or ``fetch`` (operations), ``send``, or ``find`` (lists of what was sent).
        :raises FieldError: for an unknown user, resource or route.
        """
        self._api.credentials.permit(user, resource, allowed, route)

    def revoke(self, user: str) -> None:
        """
        Accept a credential no more, as after a rotation of its token: its requests are then a 401.

        :param user: the account SID or API key SID; the other one is still good.
        :raises FieldError: for an unknown user.
        """
        self._api.credentials.revoke(user)

    def change_settings(self, **changes: Any) -> None:
        """
        Change fields of :class:`.Settings`, such as ``latency``; the others stay.

        :raises FieldError: for an unknown name or a bad value.
        """
        with self._api.lock:
            self._api.settings = Settings(**self._api.settings.model_dump() | changes)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._api.settings

    @property
    def now(self) -> datetime:
        """The simulator's time, in UTC."""
        return EPOCH + timedelta(milliseconds=self.now_ms)

    @property
    def now_ms(self) -> int:
        """The same in milliseconds since 1970."""
        return self._api.clock.now_ms()

    @checked
    def advance(self, seconds: Seconds) -> None:
        """
        Move the simulator's clock forward, so that operations get on without waiting.

        :param seconds: by how much.
        :raises FieldError: when ``seconds`` is negative or absurdly large.
        """
        self._api.clock.advance(seconds)

    @property
    def sizes(self) -> dict[Resource, int]:
        """How many operations each resource has."""
        return {resource: len(store) for resource, store in self._api.stores.items()}

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The requests so far to the API (not to ``/control``), oldest first; 100,000 at most."""
        return self._api.log.all()

    def request_counts(self) -> dict[str, Any]:
        """``total``, ``in_flight``, ``max_in_flight``, ``by_route`` (``emails.list`` ...) and ``by_status``."""
        return self._api.log.counts()

    def clear_requests(self) -> None:
        """Forget the requests so far and their counts."""
        self._api.log.clear()

    def reset(self) -> None:
        """Forget operations, sends, faults, requests and changed settings and permissions; the clock keeps its time."""
        self._api.reset()

"""The simulator as Python code uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.routing import Mount

from airflow_provider_comms.simulator.api import Api
from airflow_provider_comms.simulator.checks import build, text
from airflow_provider_comms.simulator.clock import Clock
from airflow_provider_comms.simulator.control import control_routes
from airflow_provider_comms.simulator.credentials import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_API_KEY_SECRET,
    DEFAULT_API_KEY_SID,
    DEFAULT_AUTH_TOKEN,
    Credentials,
)
from airflow_provider_comms.simulator.faults import Fault
from airflow_provider_comms.simulator.server import ServerError, ServerThread, bind
from airflow_provider_comms.simulator.settings import Settings
from airflow_provider_comms.simulator.targets import API_ROOT
from airflow_provider_comms.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_provider_comms.simulator.plans import OperationPlan
    from airflow_provider_comms.simulator.traffic import LoggedRequest

CONNECTION_TYPE = "twilio_comms"


class Simulator:
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

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        account_sid: str = DEFAULT_ACCOUNT_SID,
        auth_token: str = DEFAULT_AUTH_TOKEN,
        api_key_sid: str = DEFAULT_API_KEY_SID,
        api_key_secret: str = DEFAULT_API_KEY_SECRET,
        seed: int = 0,
        start: datetime | None = None,
        frozen: bool = False,
        on_request: Callable[[LoggedRequest], None] | None = None,
        **settings: Any,
    ) -> None:
        self.account_sid = text("account_sid", account_sid)
        self.auth_token = text("auth_token", auth_token)
        self.api_key_sid = text("api_key_sid", api_key_sid)
        self.api_key_secret = text("api_key_secret", api_key_secret)
        self._host, self._port = host, port
        self._world = World(
            Credentials({account_sid: auth_token, api_key_sid: api_key_secret}),
            build(Settings, settings),
            Clock(start, frozen=frozen),
            seed,
            on_request,
        )
        self._server: ServerThread | None = None
        self._url = ""

    def __repr__(self) -> str:
        return f"<Simulator {self._url or 'stopped'}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """
        Listen, and return once requests are answered.

        :raises FieldError: when the host is no loopback address or the port is taken.
        :raises ServerError: when it runs already, or the server does not start.
        """
        if self._server is not None:
            raise ServerError("this simulator is running already")
        listening = bind(self._host, self._port)
        host, self._port = listening.getsockname()[:2]  # Started again, it listens where it did.
        self._url = f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"
        routes = [
            Mount(API_ROOT, app=Api(self._world)),
            Mount("/control", routes=control_routes(self._world)),
        ]
        self._server = ServerThread(Starlette(routes=routes), listening)
        self._server.start()

    def stop(self) -> None:
        """Stop at once, whatever is under way; does nothing when it is not running."""
        if self._server is not None:
            self._server.stop()
            self._server, self._url = None, ""

    @property
    def url(self) -> str:
        """The base URL without the version, such as ``http://127.0.0.1:40123``."""
        if not self._url:
            raise ServerError("the simulator is not running; use it as a context manager or call start()")
        return self._url

    def connection_json(self, *, api_key: bool = False) -> str:
        """
        An Airflow connection to this simulator as JSON, for an ``AIRFLOW_CONN_...`` variable.

        :param api_key: log in with the API key instead of the account.
        """
        login, password = self._login(api_key)
        return json.dumps({"conn_type": CONNECTION_TYPE, "login": login, "password": password, "host": self.url})

    def connection_uri(self, *, api_key: bool = False) -> str:
        """The same as :meth:`connection_json` in Airflow's URI form."""
        login, password, host = (quote(part, safe="") for part in (*self._login(api_key), self.url))
        return f"{CONNECTION_TYPE.replace('_', '-')}://{login}:{password}@{host}"

    def _login(self, api_key: bool) -> tuple[str, str]:
        if api_key:
            return self.api_key_sid, self.api_key_secret
        return self.account_sid, self.auth_token

    def add_operation(
        self,
        resource: str = "emails",
        plan: OperationPlan | None = None,
        *,
        created_at: datetime | None = None,
        age: float | None = None,
        operation_id: str | None = None,
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
        return self._world.add_operation(
            resource, plan, created_at=created_at, age=age, operation_id=operation_id, **fields
        )

    def seed(
        self,
        resource: str,
        count: int,
        plan: OperationPlan | None = None,
        *,
        spread: float = 86_400.0,
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
        return self._world.seed(resource, count, plan, spread=spread, until=until, **fields)

    def change_operation(
        self, resource: str, operation_id: str, plan: OperationPlan | None = None, **fields: Any
    ) -> None:
        """
        Give an operation another plan, counted from its creation as before.

        :raises FieldError: when there is no such operation or a value makes no sense.
        """
        self._world.change_operation(resource, operation_id, plan, **fields)

    def remove_operation(self, resource: str, operation_id: str) -> None:
        """
        Take an operation away, as the API does with old ones: it is a 404 from now on.

        :raises FieldError: when there is no such operation.
        """
        self._world.remove_operation(resource, operation_id)

    def fault(self, kind: str | int | Fault, **fields: Any) -> Fault:
        """
        Let something go wrong; see :class:`.Fault` for kinds and fields.

        :returns: the fault; its ``hits`` say how often it has struck.
        :raises FieldError: when a value makes no sense.
        """
        fault = kind if isinstance(kind, Fault) else build(Fault, {"kind": kind, **fields})
        self._world.faults.add(fault)
        return fault

    def clear_faults(self) -> None:
        """End every fault."""
        self._world.faults.clear()

    def permit(self, user: str, resource: str, allowed: bool = True) -> None:
        """
        Grant a credential a resource, or take it away: its requests are then a 403 with code 70051.

        :param user: the account SID or API key SID.
        :raises FieldError: for an unknown user or resource.
        """
        self._world.credentials.permit(user, resource, allowed)

    def revoke(self, user: str) -> None:
        """
        Accept a credential no more, as after a rotation of its token: its requests are then a 401.

        :param user: the account SID or API key SID; the other one is still good.
        :raises FieldError: for an unknown user.
        """
        self._world.credentials.revoke(user)

    def change_settings(self, **changes: Any) -> None:
        """
        Change fields of :class:`.Settings`, such as ``latency``; the others stay.

        :raises FieldError: for an unknown name or a bad value.
        """
        self._world.change_settings(changes)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._world.settings

    @property
    def now(self) -> datetime:
        """The simulator's time, in UTC."""
        return self._world.clock.now()

    def advance(self, seconds: float) -> None:
        """
        Move the simulator's clock forward, so that operations get on without waiting.

        :raises FieldError: when ``seconds`` is negative.
        """
        self._world.clock.advance(seconds)

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The requests so far to the API (not to ``/control``), oldest first; 100,000 at most."""
        return self._world.log.all()

    def request_counts(self) -> dict[str, Any]:
        """``total``, ``in_flight``, ``max_in_flight``, ``by_route`` (``emails.list`` ...) and ``by_status``."""
        return self._world.log.counts()

    def clear_requests(self) -> None:
        """Forget the requests so far and their counts."""
        self._world.log.clear()

    def reset(self) -> None:
        """Forget operations, faults, requests and changed settings and permissions; the clock goes on."""
        self._world.reset()

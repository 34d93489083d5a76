"""All that one simulator holds: its clock, operations, settings, faults and log."""

from __future__ import annotations

from dataclasses import asdict
from random import Random
from threading import RLock
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.simulator.checks import FieldError, build, number, one_of, text, whole
from airflow_provider_comms.simulator.clock import LATEST_MS, Clock, milliseconds
from airflow_provider_comms.simulator.faults import FaultBook
from airflow_provider_comms.simulator.identifiers import RESOURCES, Resource
from airflow_provider_comms.simulator.paging import Tokens
from airflow_provider_comms.simulator.plans import OperationPlan, plan_for
from airflow_provider_comms.simulator.settings import Settings
from airflow_provider_comms.simulator.store import Shelf
from airflow_provider_comms.simulator.traffic import LoggedRequest, RateLimit, RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from airflow_provider_comms.simulator.credentials import Credentials

_DAY = 86_400.0
_MOST_AT_ONCE = 5_000_000


class World:
    """
    The state behind the API; safe to use from several threads.

    :param credentials: who may ask.
    :param settings: how the simulator behaves, until changed.
    :param clock: its time.
    :param seed: makes ids, page tokens and request ids repeatable.
    :param tell: called with each request when it is over.
    """

    def __init__(
        self,
        credentials: Credentials,
        settings: Settings,
        clock: Clock,
        seed: int = 0,
        tell: Callable[[LoggedRequest], None] | None = None,
    ) -> None:
        self.lock = RLock()
        self.credentials = credentials
        self.settings = settings
        self.clock = clock
        self.faults = FaultBook()
        self.log = RequestLog(tell)
        self.rate_limit = RateLimit()
        self._first_settings = settings
        # Of its own, so that ids do not depend on how many requests came before.
        self._request_random = Random(f"requests {seed}")  # noqa: S311
        self._random = Random(seed)  # noqa: S311 - repeatable is what is wanted here
        self.tokens = Tokens(self._random.randbytes(16))
        self._empty_shelves()

    def _empty_shelves(self) -> None:
        self._shelves = {resource: Shelf(resource, self._random) for resource in RESOURCES}

    def shelf(self, resource: str) -> Shelf:
        """The operations of a resource."""
        one_of("resource", resource, RESOURCES)
        return self._shelves[resource]  # type: ignore[index]

    def request_id(self) -> str:
        """A new ``Twilio-Request-Id``."""
        return f"RQ{self._request_random.randbytes(16).hex()}"

    def add_operation(
        self,
        resource: str,
        plan: OperationPlan | None = None,
        *,
        created_at: datetime | None = None,
        age: float | None = None,
        operation_id: str | None = None,
        **fields: Any,
    ) -> str:
        """Add one operation; see :meth:`.Simulator.add_operation`."""
        if operation_id is not None:
            text("operation_id", operation_id)
        with self.lock:
            shelf = self.shelf(resource)
            return shelf.add(plan_for(shelf.resource, plan, fields), self._created_ms(created_at, age), operation_id)

    def seed(
        self,
        resource: str,
        count: int,
        plan: OperationPlan | None = None,
        *,
        spread: float = _DAY,
        until: datetime | None = None,
        **fields: Any,
    ) -> int:
        """Add many operations; see :meth:`.Simulator.seed`."""
        whole("count", count, most=_MOST_AT_ONCE)
        spread_ms = round(number("spread", spread) * 1000)
        with self.lock:
            shelf = self.shelf(resource)
            made = plan_for(shelf.resource, plan, fields)
            end_ms = (
                self.clock.now_ms() - made.settles_ms
                if until is None
                else _in_range("until", milliseconds(until, "until"))
            )
            begin_ms = _in_range("spread", end_ms - spread_ms)
            shelf.seed(
                made,
                (begin_ms + spread_ms * (place + 1) // count for place in range(count)),
            )
        return count

    def change_operation(
        self, resource: str, operation_id: str, plan: OperationPlan | None = None, **fields: Any
    ) -> None:
        """Give an operation another plan; see :meth:`.Simulator.change_operation`."""
        text("operation_id", operation_id)
        with self.lock:
            shelf = self.shelf(resource)
            if not shelf.replace(operation_id, plan_for(shelf.resource, plan, fields)):
                raise FieldError("operation_id", f"there is no such operation among the {resource}")

    def remove_operation(self, resource: str, operation_id: str) -> None:
        """Take an operation away; see :meth:`.Simulator.remove_operation`."""
        text("operation_id", operation_id)
        with self.lock:
            if not self.shelf(resource).remove(operation_id):
                raise FieldError("operation_id", f"there is no such operation among the {resource}")

    def change_settings(self, changes: Mapping[str, Any]) -> None:
        """
        Change some settings and keep the others.

        :raises FieldError: for an unknown name or a bad value.
        """
        with self.lock:
            self.settings = build(Settings, asdict(self.settings) | dict(changes))

    def reset(self) -> None:
        """Forget operations, faults, the log and every change of settings and permissions; the clock goes on."""
        with self.lock:
            self.settings = self._first_settings
            self.credentials.permit_all()
            self.rate_limit = RateLimit()
            self._empty_shelves()
        self.faults.clear()
        self.log.clear()

    def sizes(self) -> dict[Resource, int]:
        """How many operations each resource has."""
        with self.lock:
            return {resource: len(shelf) for resource, shelf in self._shelves.items()}

    def _created_ms(self, created_at: datetime | None, age: float | None) -> int:
        if created_at is not None and age is not None:
            raise FieldError("age", "give either created_at or age, not both")
        if created_at is not None:
            return _in_range("created_at", milliseconds(created_at))
        return _in_range("age", self.clock.now_ms() - round(number("age", age or 0.0) * 1000))


def _in_range(field: str, moment_ms: int) -> int:
    if moment_ms < 0:
        raise FieldError(field, "leads to a time before 1970")
    if moment_ms > LATEST_MS:
        raise FieldError(field, "leads to a time after the year 6000")
    return moment_ms

"""The operations of one resource, sorted by creation."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from random import Random
from typing import Literal, NamedTuple, TypeVar

from airflow_provider_comms.simulator.clock import iso
from airflow_provider_comms.simulator.fields import FieldError
from airflow_provider_comms.simulator.identifiers import RANDOM_BYTES, Resource, make_id
from airflow_provider_comms.simulator.plans import OperationPlan
from airflow_provider_comms.simulator.timeline import changed_at, stats_at, status_at

Entry = TypeVar("Entry")
Order = Literal["newest-first", "oldest-first", "shuffled"]


class Position(NamedTuple):
    """Where something stands in the order of creation."""

    created_ms: int
    id: str = ""


_position = attrgetter("position")


@dataclass(slots=True, eq=False)
class Operation:
    """One operation."""

    resource: Resource
    position: Position
    plan: OperationPlan
    #: Its JSON once nothing changes any more, as encoding is most of what a page costs.
    settled: str | None = None

    def age_ms(self, now_ms: int) -> int:
        """Milliseconds since its creation."""
        return now_ms - self.position.created_ms

    def shows(self, status: str | None, now_ms: int) -> bool:
        """Whether it is listed, and has the status (None: any)."""
        return self.plan.listed and status in (None, status_at(self.plan, self.age_ms(now_ms)))

    def to_json(self, now_ms: int, *, in_list: bool = False) -> str:
        """Its JSON, as a list shows it or as it is fetched."""
        age_ms = self.age_ms(now_ms)
        if age_ms < self.plan.settles_ms or (in_list and self.plan.list_fields):
            return self._encode(age_ms, in_list)
        if self.settled is None:
            self.settled = self._encode(age_ms, in_list)
        return self.settled

    def _encode(self, age_ms: int, in_list: bool) -> str:
        plan, (created_ms, operation_id) = self.plan, self.position
        if plan.raw_json is not None:
            return plan.raw_json
        fields = {
            "id": operation_id,
            "status": status_at(plan, age_ms),
            "stats": stats_at(plan, self.resource, age_ms),
            "createdAt": iso(created_ms),
            "updatedAt": iso(created_ms + changed_at(plan, age_ms)),
            **plan.raw_fields,
            **(plan.list_fields if in_list else {}),
        }
        return json.dumps({name: value for name, value in fields.items() if name not in plan.omit_fields})


def _id_from_its_end(operation: Operation) -> str:
    """The key of an order that has nothing to do with time: an id ends in its random part."""
    return operation.position.id[::-1]


def places_between(
    entries: Sequence[Entry],
    position: Callable[[Entry], Position],
    begin: Position,
    end: Position,
    *,
    after: Position | None,
    order: Order,
) -> range:
    """The places of the sorted entries from ``begin`` up to, without, ``end``; of these, what follows ``after``."""
    first, last = (bisect_left(entries, bound, key=position) for bound in (begin, end))
    if order == "newest-first":
        last = last if after is None else min(last, bisect_left(entries, after, key=position))
        return range(last - 1, first - 1, -1)
    return range(first if after is None else max(first, bisect_right(entries, after, key=position)), last)


class OperationStore:
    """The operations of one resource, with ids from a source of randomness."""

    def __init__(self, resource: Resource, random: Random) -> None:
        self.resource = resource
        self._random = random
        self._sorted: list[Operation] = []
        self._by_id: dict[str, Operation] = {}
        self._shuffled = lru_cache(maxsize=64)(self._shuffle)  # Until an operation comes or goes.

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, plan: OperationPlan, created_ms: int, operation_id: str | None = None) -> str:
        """Add one operation and return its id; a :class:`.FieldError` when the id given is there already."""
        operation = self._make(plan, created_ms, operation_id)
        insort(self._sorted, operation, key=_position)
        return operation.position.id

    def add_many(self, plan: OperationPlan, created_ms: Iterable[int]) -> None:
        """Add many operations, one per creation time."""
        self._sorted.extend([self._make(plan, time_ms) for time_ms in created_ms])
        self._sorted.sort(key=_position)

    def _make(self, plan: OperationPlan, created_ms: int, operation_id: str | None = None) -> Operation:
        operation_id = operation_id or make_id(created_ms, self._random.randbytes(RANDOM_BYTES))
        if operation_id in self._by_id:
            raise FieldError("operation_id", f"there is an operation {operation_id} already")
        operation = self._by_id[operation_id] = Operation(self.resource, Position(created_ms, operation_id), plan)
        self._shuffled.cache_clear()
        return operation

    def fetch(self, operation_id: str, now_ms: int) -> str | None:
        """The JSON of one operation, or None when it does not exist (yet)."""
        operation = self.get(operation_id)
        return operation.to_json(now_ms) if operation and operation.age_ms(now_ms) >= 0 else None

    def get(self, operation_id: str) -> Operation | None:
        """An operation, or None when there is none."""
        return self._by_id.get(operation_id)

    def _known(self, operation_id: str) -> Operation:
        if operation_id not in self._by_id:
            raise FieldError("operation_id", f"there is no such operation among the {self.resource}")
        return self._by_id[operation_id]

    def change(self, operation_id: str, plan: OperationPlan) -> None:
        """Give an operation another plan; a :class:`.FieldError` when there is none."""
        operation = self._known(operation_id)
        operation.plan, operation.settled = plan, None

    def remove(self, operation_id: str) -> None:
        """Take an operation away; a :class:`.FieldError` when there is none."""
        del self._sorted[bisect_left(self._sorted, self._known(operation_id).position, key=_position)]
        del self._by_id[operation_id]
        self._shuffled.cache_clear()

    def between(
        self, begin: Position, end: Position, after: Position | None = None, order: Order = "oldest-first"
    ) -> Iterator[Operation]:
        """The operations from ``begin`` up to, without, ``end``; of these, in their order, what follows ``after``."""
        if order != "shuffled":
            places = places_between(self._sorted, _position, begin, end, after=after, order=order)
            return map(self._sorted.__getitem__, places)
        operations = self._shuffled(places_between(self._sorted, _position, begin, end, after=None, order=order))
        done = 0 if after is None else bisect_right(operations, after.id[::-1], key=_id_from_its_end)
        return islice(operations, done, None)

    def _shuffle(self, places: range) -> list[Operation]:
        return sorted(map(self._sorted.__getitem__, places), key=_id_from_its_end)

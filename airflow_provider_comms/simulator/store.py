"""Operations of one resource, sorted by creation, held small enough for a million of them."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right, insort
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_comms.simulator.checks import FieldError
from airflow_provider_comms.simulator.clock import iso
from airflow_provider_comms.simulator.identifiers import (
    TIME_BYTES,
    ULID_BYTES,
    Resource,
    created_ms_of,
    make_ulid,
    read_id,
    write_id,
)
from airflow_provider_comms.simulator.timeline import ages_showing, changed_at, stats_at, status_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from random import Random

    from airflow_provider_comms.simulator.plans import OperationPlan

_PLAN_BYTES = 4
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_RANDOM_BYTES = ULID_BYTES - TIME_BYTES
#: How many finished operations keep their JSON at hand; about 400 bytes each.
CACHED_ANSWERS = 250_000


class Span(NamedTuple):
    """A stretch of places in a shelf, the end not included."""

    begin: int
    end: int


class Shelf:
    """
    The operations of one resource.

    An operation is a record of 20 bytes: its ULID and the number of its plan. Records sort by creation, plans are
    shared, and JSON is only made when somebody asks.

    :param resource: ``emails`` or ``messages``.
    :param random: where the random part of ids comes from.
    """

    def __init__(self, resource: Resource, random: Random) -> None:
        self.resource = resource
        self._random = random
        self._records: list[bytes] = []
        self._plans: list[OperationPlan] = []
        self._plan_numbers: dict[OperationPlan, int] = {}
        self._given_ids: dict[bytes, str] = {}
        self._by_given_id: dict[str, bytes] = {}
        self._finished: dict[bytes, bytes] = {}
        self._finished_stats: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._records)

    def add(self, plan: OperationPlan, created_ms: int, operation_id: str | None = None) -> str:
        """
        Put one operation on the shelf and return its id.

        :raises FieldError: when ``operation_id`` is there already.
        """
        if operation_id is not None and self._find(operation_id) is not None:
            raise FieldError("operation_id", f"there is an operation {operation_id} already")
        ulid = make_ulid(created_ms, self._random.randbytes(_RANDOM_BYTES))
        if operation_id is not None:
            self._given_ids[ulid] = operation_id
            self._by_given_id[operation_id] = ulid
        insort(self._records, ulid + self._number(plan))
        return self._id(ulid)

    def seed(self, plan: OperationPlan, created_ms: Iterable[int]) -> None:
        """Put many operations on the shelf, one per creation time."""
        number, draw = self._number(plan), self._random.randbytes
        self._records.extend(make_ulid(moment, draw(_RANDOM_BYTES)) + number for moment in created_ms)
        self._records.sort()

    def replace(self, operation_id: str, plan: OperationPlan) -> bool:
        """Give an operation another plan; False when there is no such operation."""
        place = self._find(operation_id)
        if place is None:
            return False
        record = self._records[place]
        self._finished.pop(record, None)
        self._records[place] = record[:ULID_BYTES] + self._number(plan)
        return True

    def remove(self, operation_id: str) -> bool:
        """Take an operation away; False when there is no such operation."""
        place = self._find(operation_id)
        if place is None:
            return False
        record = self._records.pop(place)
        self._finished.pop(record, None)
        self._by_given_id.pop(operation_id, None)
        self._given_ids.pop(record[:ULID_BYTES], None)
        return True

    def fetch(self, operation_id: str, now_ms: int) -> bytes | None:
        """The JSON of one operation at a moment, or None when it does not exist (yet)."""
        place = self._find(operation_id)
        if place is None or created_ms_of(self._records[place]) > now_ms:
            return None
        return self.show(place, now_ms)

    def listed(self, places: range) -> Iterable[int]:
        """Those of the places whose operations are shown in listings at all."""
        if all(plan.listed for plan in self._plans):
            return places
        return (place for place in places if self._plan(self._records[place]).listed)

    def span(self, begin_ms: int, end_ms: int) -> Span:
        """The places of operations created from ``begin_ms`` up to, without, ``end_ms``."""
        return Span(self._place_of(begin_ms), self._place_of(end_ms))

    def before(self, ulid: bytes) -> int:
        """The place of the first operation that is not older than ``ulid``."""
        return bisect_left(self._records, ulid)

    def after(self, ulid: bytes) -> int:
        """The place of the first operation that is newer than ``ulid``."""
        return bisect_right(self._records, ulid + b"\xff" * _PLAN_BYTES)

    def ulid(self, place: int) -> bytes:
        """The ULID of the operation at a place."""
        return self._records[place][:ULID_BYTES]

    def created_while(self, status: str, now_ms: int) -> tuple[int, int]:
        """First (included) and last (excluded) creation time of what can show ``status`` at a moment."""
        ages = [stretch for plan in self._plans if (stretch := ages_showing(plan, status)).begin < stretch.end]
        if not ages:
            return now_ms, now_ms
        oldest = max(stretch.end for stretch in ages)
        return int(max(0, now_ms - oldest + 1)), int(now_ms - min(stretch.begin for stretch in ages) + 1)

    def showing(self, status: str, places: Iterable[int], now_ms: int) -> Iterator[int]:
        """Those of the places whose operations show ``status`` at a moment."""
        for place in places:
            record = self._records[place]
            if status_at(self._plan(record), now_ms - created_ms_of(record)) == status:
                yield place

    def show(self, place: int, now_ms: int, *, in_list: bool = False) -> bytes:
        """The JSON of the operation at a place; kept once it can no longer change."""
        record = self._records[place]
        age_ms = now_ms - created_ms_of(record)
        if age_ms < self._plan(record).settles_ms:
            return self._write(record, age_ms, self._plan(record).list_fields if in_list else {})
        if in_list and self._plan(record).list_fields:
            return self._write(record, age_ms, self._plan(record).list_fields)
        answer = self._finished.get(record)
        if answer is None:
            answer = self._write(record, age_ms)
            if len(self._finished) < CACHED_ANSWERS:
                self._finished[record] = answer
        return answer

    def _write(self, record: bytes, age_ms: int, fields: Mapping[str, Any] = _NOTHING) -> bytes:
        plan, created_ms = self._plan(record), created_ms_of(record)
        if plan.raw_json is not None:
            return plan.raw_json.encode()
        parts = {
            "id": f'"{self._id(record[:ULID_BYTES])}"',
            "status": json.dumps(status_at(plan, age_ms)),
            "stats": self._stats_json(record, age_ms),
            "createdAt": f'"{iso(created_ms)}"',
            "updatedAt": f'"{iso(created_ms + changed_at(plan, age_ms))}"',
        }
        for name, value in [*plan.raw_fields.items(), *fields.items()]:
            parts[name] = json.dumps(value)
        for name in plan.omit_fields:
            parts.pop(name, None)
        return ("{" + ",".join([f'"{name}":{part}' for name, part in parts.items()]) + "}").encode()

    def _stats_json(self, record: bytes, age_ms: int) -> str:
        """Operations of one plan end with the same counters: these are written once."""
        plan, number = self._plan(record), int.from_bytes(record[ULID_BYTES:], "big")
        if age_ms >= plan.settles_ms and number in self._finished_stats:
            return self._finished_stats[number]
        written = json.dumps(stats_at(plan, self.resource, age_ms), separators=(",", ":"))
        if age_ms >= plan.settles_ms:
            self._finished_stats[number] = written
        return written

    def _find(self, operation_id: str) -> int | None:
        ulid = self._by_given_id.get(operation_id) or read_id(operation_id)
        if ulid is None:
            return None
        place = self.before(ulid)
        if place == len(self._records) or self.ulid(place) != ulid or self._id(ulid) != operation_id:
            return None
        return place

    def _id(self, ulid: bytes) -> str:
        return self._given_ids.get(ulid) or write_id(ulid)

    def _plan(self, record: bytes) -> OperationPlan:
        return self._plans[int.from_bytes(record[ULID_BYTES:], "big")]

    def _number(self, plan: OperationPlan) -> bytes:
        number = self._plan_numbers.setdefault(plan, len(self._plans))
        if number == len(self._plans):
            self._plans.append(plan)
        return number.to_bytes(_PLAN_BYTES, "big")

    def _place_of(self, created_ms: int) -> int:
        return bisect_left(self._records, min(max(created_ms, 0), 2**48 - 1).to_bytes(TIME_BYTES, "big"))

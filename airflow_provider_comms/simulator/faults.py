"""Faults on demand: what goes wrong, for which requests, and how often."""

from __future__ import annotations

import base64
import binascii
import math
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from threading import Lock
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.simulator.checks import FieldError, build, mapping, number, one_of, text, whole
from airflow_provider_comms.simulator.identifiers import RESOURCES
from airflow_provider_comms.simulator.targets import ROUTES, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = (
    "status",
    "slow",
    "hang",
    "drip_headers",
    "drip_body",
    "reset",
    "reset_body",
    "truncated",
    "cut_json",
    "gzip",
    "html",
    "raw",
    "redirect",
)
_REDIRECTS = (301, 302, 303, 307, 308)
_DEFAULT_STATUSES = {"status": 500, "redirect": 307}


@dataclass(kw_only=True)
class _Matching:
    resource: str | None = None
    route: str | None = None
    operation_id: str | None = None
    times: int | None = None
    skip: int = 0

    def _check_matching(self) -> None:
        if self.resource is not None:
            one_of("resource", self.resource, RESOURCES)
        if self.route is not None:
            one_of("route", self.route, ROUTES)
        if self.operation_id is not None:
            text("operation_id", self.operation_id)
        if self.times is not None:
            whole("times", self.times, least=1)
        whole("skip", self.skip)

    def concerns(self, target: Target | None) -> bool:
        """Whether a request for this target is one to match (None: a path that the API does not have)."""
        resource, route, operation_id = target or (None, None, None)
        return (
            self.resource in (None, resource)
            and self.route in (None, route)
            and self.operation_id in (None, operation_id)
        )


@dataclass
class Fault(_Matching):
    """
    One thing that goes wrong.

    ========================  ==========================================================================
    ``kind``                  what the client meets
    ========================  ==========================================================================
    ``status`` (or a number)  an error answer with that ``status``; ``retry_after`` goes with it
    ``slow``                  the normal answer after ``seconds``
    ``hang``                  no answer ever; ends when the client leaves
    ``drip_headers``          the normal answer, a byte every ``interval`` seconds from its first byte on
    ``drip_body``             the same from the body's first byte on
    ``reset``                 a TCP reset before any byte
    ``reset_body``            a TCP reset after half of the body
    ``truncated``             half of the body that Content-Length announces, then the end of the connection
    ``cut_json``              half of the normal body as a complete answer
    ``gzip``                  the normal answer compressed ``layers`` times, with ``padding`` bytes of spaces before it
    ``html``                  200 with the HTML of a network's log-in page
    ``raw``                   ``status``, ``headers`` and ``body`` as given
    ``redirect``              ``status`` (307 unless given) to ``location``
    ========================  ==========================================================================

    Faults are tried in the order in which they were added, and the first that matches is used.

    :param kind: see the table; a number such as 429 stands for ``status`` with that status.
    :param resource: only requests for ``emails`` or ``messages``; None for both.
    :param route: only ``list`` or ``fetch``; None for both.
    :param operation_id: only this operation's fetches; None for all.
    :param times: how many requests it hits; None for all until it is cleared.
    :param skip: how many matching requests it lets pass first.
    :param status: the HTTP status, for ``status``, ``raw`` and ``redirect``.
    :param retry_after: seconds, or any text as it is; None for no such header.
    :param retry_after_form: ``seconds`` or ``date`` (an HTTP date that many seconds from now).
    :param seconds: the delay of ``slow``.
    :param interval: seconds between two bytes of a drip.
    :param padding: bytes of spaces that ``gzip`` adds, 1 GB at most.
    :param layers: how often ``gzip`` compresses, 5 at most.
    :param headers: headers of ``raw``.
    :param body: body of ``raw``.
    :param location: where a ``redirect`` points.
    :raises FieldError: when a value makes no sense.
    """

    kind: str | int
    status: int | None = field(default=None, kw_only=True)
    retry_after: float | str | None = field(default=None, kw_only=True)
    retry_after_form: str = field(default="seconds", kw_only=True)
    seconds: float = field(default=1.0, kw_only=True)
    interval: float = field(default=0.05, kw_only=True)
    padding: int = field(default=0, kw_only=True)
    layers: int = field(default=1, kw_only=True)
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    body: bytes | str = field(default=b"", kw_only=True)
    location: str = field(default="", kw_only=True)
    matched: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._check_kind()
        self._check_matching()
        self._check_retry_after()
        number("seconds", self.seconds)
        number("interval", self.interval)
        whole("padding", self.padding)
        whole("layers", self.layers, least=1, most=5)
        self.headers = {name: text(f"headers.{name}", value) for name, value in self.headers.items()}
        self.body = self.body.encode() if isinstance(self.body, str) else self.body

    def _check_kind(self) -> None:
        if isinstance(self.kind, int):
            self.status = self.kind
            self.kind = "status"
        one_of("kind", self.kind, KINDS)
        if self.status is None:
            self.status = _DEFAULT_STATUSES.get(self.kind, 200)
        whole("status", self.status, least=400 if self.kind == "status" else 200, most=599)
        if self.kind == "redirect":
            text("location", self.location)
            if self.status not in _REDIRECTS:
                raise FieldError("status", f"must be one of {_REDIRECTS}, not {self.status}")

    def _check_retry_after(self) -> None:
        one_of("retry_after_form", self.retry_after_form, ("seconds", "date"))
        if self.retry_after is not None and not isinstance(self.retry_after, str):
            number("retry_after", self.retry_after)

    def retry_headers(self) -> dict[str, str]:
        """The Retry-After header as asked for; empty when there is to be none."""
        if self.retry_after is None:
            return {}
        if isinstance(self.retry_after, str):
            return {"Retry-After": self.retry_after}
        if self.retry_after_form == "date":
            return {"Retry-After": formatdate(math.ceil(time.time() + self.retry_after), usegmt=True)}
        return {"Retry-After": f"{self.retry_after:.15g}"}

    def spent(self) -> bool:
        """Whether it has hit as often as it was to."""
        return self.times is not None and self.hits >= self.times

    def claim(self, target: Target | None) -> bool:
        """Count a request if it matches, and say whether the fault strikes it."""
        if self.spent() or not self.concerns(target):
            return False
        self.matched += 1
        if self.matched <= self.skip:
            return False
        self.hits += 1
        return True


def read_fault(values: Mapping[str, Any]) -> Fault:
    """
    A fault from JSON; ``body_base64`` may stand for ``body``.

    :raises FieldError: for an unknown name or a bad value.
    """
    given = dict(values)
    if "kind" not in given:
        raise FieldError("kind", f"is missing; it is one of {', '.join(KINDS)} or an HTTP status")
    if "body_base64" in given:
        given["body"] = _decode(given.pop("body_base64"))
    elif not isinstance(given.get("body", ""), str):
        raise FieldError("body", "must be a text; use body_base64 for bytes")
    mapping("headers", given.get("headers", {}))
    return build(Fault, given)


def _decode(value: Any) -> bytes:
    try:
        return base64.b64decode(text("body_base64", value), validate=True)
    except binascii.Error as error:
        raise FieldError("body_base64", "is not base64") from error


class FaultBook:
    """The faults in force, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault into force."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """End every fault; connections that hang already go on hanging until their clients leave."""
        with self._lock:
            self._faults.clear()

    def all(self) -> tuple[Fault, ...]:
        """The faults added and not cleared, spent ones too."""
        with self._lock:
            return tuple(self._faults)

    def take(self, target: Target | None) -> Fault | None:
        """The fault that strikes a request, if any; counts it."""
        with self._lock:
            return next((fault for fault in self._faults if fault.claim(target)), None)

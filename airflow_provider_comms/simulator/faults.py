"""Faults on demand: what goes wrong, for which requests, and how often."""

from __future__ import annotations

import base64
import math
import time
from email.utils import formatdate
from functools import partial
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, StringConstraints, model_validator

from airflow_provider_comms.simulator.fields import Count, FieldError, Model, Seconds, Switch, Text
from airflow_provider_comms.simulator.identifiers import Resource, Route
from airflow_provider_comms.simulator.request_log import Target

#: What is done instead of what a request asks for, and what is done to the answer of one that had its way.
_Instead = Literal["status", "hang", "reset", "reset_request", "html", "raw", "redirect"]
_Spoilt = Literal["slow", "drip_headers", "drip_body", "reset_body", "truncated", "cut_json", "gzip"]
Kind = Literal[_Instead, _Spoilt]
KINDS: tuple[Kind, ...] = get_args(Kind)
_REDIRECTS = (301, 302, 303, 307, 308)
_LEAST_ERROR = 400

_HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\t -~]*$")]
_Base64 = Annotated[bytes, BeforeValidator(partial(base64.b64decode, validate=True))]


class Fault(Model):
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
    ``reset_request``         a TCP reset as soon as the request's headers are there, before its body is read
    ``reset_body``            a TCP reset after half of the body
    ``truncated``             half of the body that Content-Length announces, then the end of the connection
    ``cut_json``              half of the normal body as a complete answer
    ``gzip``                  the normal answer compressed ``layers`` times, ``padding`` spaces before it
    ``html``                  200 with the HTML of a network's log-in page
    ``raw``                   ``status``, ``headers`` and ``body`` as given
    ``redirect``              ``status`` (307 unless given) to ``location``
    ========================  ==========================================================================

    A request to send that meets ``status``, ``hang``, ``reset``, ``reset_request``, ``html``, ``raw`` or ``redirect``
    is not accepted, unless ``accept`` says so; the others spoil the answer of one that is.

    Faults are tried in the order in which they were added, and the first that matches is used.

    :param kind: see the table; a number such as 429 stands for ``status`` with that status.
    :param resource: only requests for ``emails`` or ``messages``; None for both.
    :param route: only ``list`` or ``fetch`` (operations), ``send``, or ``find`` (lists of what was sent); None for all.
    :param operation_id: only this operation's fetches; None for all.
    :param times: how many requests it hits; None for all until it is cleared.
    :param skip: how many matching requests it lets pass first.
    :param share: of the others, how many it hits, spread evenly: 0.3 is three of ten.
    :param accept: the request does what it asks for all the same, before anything goes wrong: "accepted, then cut".
    :param status: the HTTP status, for ``status``, ``raw`` and ``redirect``.
    :param retry_after: seconds, or any text as it is; None for no such header.
    :param retry_after_form: ``seconds`` or ``date`` (an HTTP date that many seconds from now).
    :param seconds: the delay of ``slow``.
    :param interval: seconds between two bytes of a drip.
    :param padding: bytes of spaces that ``gzip`` adds, 1 GB at most.
    :param layers: how often ``gzip`` compresses, 5 at most.
    :param headers: headers of ``raw``.
    :param body: body of ``raw``, text or bytes.
    :param body_base64: the same as base 64, for JSON.
    :param location: where a ``redirect`` points.
    :raises FieldError: when a value makes no sense.
    """

    model_config = ConfigDict(frozen=False)

    kind: Kind
    resource: Resource | None = None
    route: Route | None = None
    operation_id: Text | None = None
    times: Annotated[int, Field(strict=True, ge=1)] | None = None
    skip: Count = 0
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    accept: Switch = False
    status: Annotated[int, Field(strict=True, ge=200, le=599)] = 200
    retry_after: Seconds | _HeaderValue | None = None
    retry_after_form: Literal["seconds", "date"] = "seconds"
    seconds: Seconds = 1.0
    interval: Seconds = 0.05
    padding: Count = 0
    layers: Annotated[int, Field(strict=True, ge=1, le=5)] = 1
    headers: dict[_HeaderValue, _HeaderValue] = Field(default_factory=dict)
    body: bytes = b""
    body_base64: _Base64 = Field(b"", exclude=True)
    location: _HeaderValue = ""
    _matched: int = PrivateAttr(0)
    _hits: int = PrivateAttr(0)

    def __init__(self, kind: str | int | None = None, **values: Any) -> None:
        if isinstance(kind, int):
            kind, values = "status", {"status": kind, **values}
        if kind is not None:
            values["kind"] = kind
        if kind in ("status", "redirect"):
            values.setdefault("status", 500 if kind == "status" else 307)
        super().__init__(**values)

    @model_validator(mode="after")
    def _check_status(self) -> Self:
        if self.kind == "status" and self.status < _LEAST_ERROR:
            raise FieldError("status", f"must be an error, not {self.status}")
        if self.kind == "redirect" and self.status not in _REDIRECTS:
            raise FieldError("status", f"must be one of {_REDIRECTS}, not {self.status}")
        if self.kind == "reset_request" and self.accept:
            raise FieldError("accept", "is not for reset_request, which reads no body")
        if self.kind == "redirect" and not self.location:
            raise FieldError("location", "is missing")
        return self

    @property
    def matched(self) -> int:
        """How many requests it matched, those that it let pass included."""
        return self._matched

    @property
    def hits(self) -> int:
        """How many requests it struck."""
        return self._hits

    def spent(self) -> bool:
        """Whether it has hit as often as it was to."""
        return self.times is not None and self._hits >= self.times

    def claim(self, target: Target | None) -> bool:
        """Count a request if it matches, and say whether the fault strikes it."""
        if self.spent() or not self._concerns(target):
            return False
        self._matched += 1
        number = self._matched - self.skip
        strikes = number > 0 and int(number * self.share) > int((number - 1) * self.share)
        self._hits += strikes
        return strikes

    def _concerns(self, target: Target | None) -> bool:
        pairs = zip((self.resource, self.route, self.operation_id), target or (None, None, None), strict=True)
        return all(wanted in (None, given) for wanted, given in pairs)

    def retry_headers(self) -> dict[str, str]:
        """The Retry-After header as asked for; empty when there is to be none."""
        match self.retry_after:
            case None:
                return {}
            case str() as text:
                return {"Retry-After": text}
            case seconds if self.retry_after_form == "date":
                return {"Retry-After": formatdate(math.ceil(time.time() + seconds), usegmt=True)}
            case seconds:
                return {"Retry-After": f"{seconds:.15g}"}

    def summary(self) -> dict[str, Any]:
        """The fault as the control endpoint shows it."""
        shown = {"kind", "resource", "route", "operation_id", "status", "times", "skip", "accept"}
        return self.model_dump(include=shown) | {"matched": self.matched, "hits": self.hits}

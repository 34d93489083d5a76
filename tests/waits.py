"""Ways in which a wait can go, each with the end that it must have in every mode: one source for all of them."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

PASSWORD = "simulated-auth-token"


@dataclass(frozen=True)
class Way:
    """
    One way.

    :param plan: of the simulated operation; it lasts as long as :meth:`prepare` says, unless `processing_for` is here.
    :param faults: of the simulator: kind and fields.
    :param sensor: further arguments of the sensor.
    :param state: that the task ends in.
    :param error: name of the exception that the task ends with.
    :param says: parts of its message.
    :param status: in the XCom.
    :param gone_for: seconds for which the server is gone, after the first poll; it is a server of its own then.
    """

    name: str
    plan: dict[str, Any] = field(default_factory=dict)
    faults: tuple[tuple[Any, dict[str, Any]], ...] = ()
    sensor: dict[str, Any] = field(default_factory=dict)
    state: str = "success"
    error: str | None = None
    says: tuple[str, ...] = ()
    status: str | None = "COMPLETED"
    gone_for: float = 0

    def __str__(self) -> str:
        return self.name

    def prepare(self, simulator: Any, lasts: float) -> str:
        """Make the operation, which lasts for some seconds, and its faults; return its id."""
        operation_id = simulator.add_operation("emails", **{"processing_for": lasts, **self.plan})
        for kind, fields in self.faults:
            simulator.fault(kind, operation_id=operation_id, **_filled(fields, operation_id))
        if self.gone_for:
            threading.Thread(target=_go_and_come_back, args=(simulator, self.gone_for), daemon=True).start()
        return operation_id


def _go_and_come_back(simulator: Any, gone_for: float) -> None:
    while not simulator.requests:
        time.sleep(0.05)
    simulator.stop()
    time.sleep(gone_for)
    simulator.start()


def _filled(fields: dict[str, Any], operation_id: str) -> dict[str, Any]:
    body = fields.get("body")
    return {**fields, "body": body.replace("OPERATION_ID", operation_id)} if body else fields


def _failing(name: str, error: str, *says: str, **more: Any) -> Way:
    return Way(name, state="failed", error=error, says=says, status=None, **more)


def _skipping(name: str, **more: Any) -> Way:
    return Way(name, state="skipped", status=None, **more)


LONG = {"processing_for": 600}
HALF_FAILING = LONG | {"recipients": 200, "raw_stats": {"failed": 100}}
CANCELED = {"ends_in": "CANCELED"}
HALF_FAILED = {"recipients": 200, "failed": 0.5}
LATE = {"grace": 0}
PAUSED = json.dumps(
    {
        "id": "OPERATION_ID",
        "status": "PAUSED",
        "stats": {"total": 1, "snoozed": 1},
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
    }
)

WAYS = (
    Way("completed"),
    Way("canceled", plan=CANCELED, status="CANCELED"),
    _failing("canceled, fail", "CommsOperationCanceled", "CANCELED", plan=CANCELED, sensor={"on_canceled": "fail"}),
    _skipping("canceled, skip", plan=CANCELED, sensor={"on_canceled": "skip"}),
    _failing(
        "share broken",
        "CommsThresholdExceeded",
        "failed = 100 (50.0 %), above the limit of 2 %",
        plan=HALF_FAILED,
        sensor={"fail_if": {"failed": "2%"}},
    ),
    _failing(
        "number broken",
        "CommsThresholdExceeded",
        "failed = 100, above the limit of 50",
        plan=HALF_FAILED,
        sensor={"fail_if": {"failed": 50}},
    ),
    _failing(
        "share broken early",
        "CommsThresholdExceeded",
        "failed = 100 (50.0 %), above the limit of 2 %",
        "It goes on without this task",
        plan=HALF_FAILING,
        sensor={"fail_if": {"failed": "2%"}, "fail_early": True},
    ),
    _failing(
        "floor out of reach",
        "CommsThresholdExceeded",
        "reached at most 100 (50.0 %), below the limit of 95 %",
        plan=HALF_FAILING,
        sensor={"fail_if": {"reached": "< 95%"}, "fail_early": True},
    ),
    _failing(
        "share broken, not yet the end",
        "CommsWaitTimeout",
        plan=HALF_FAILING,
        sensor={"fail_if": {"failed": "2%"}, "timeout": 1},
    ),
    Way("limits kept", plan=HALF_FAILED, sensor={"fail_if": {"failed": "50%", "undelivered": 0}}),
    _skipping("share broken, soft_fail", plan=HALF_FAILED, sensor={"fail_if": {"failed": 1}, "soft_fail": True}),
    _failing(
        "timeout", "CommsWaitTimeout", "Waited 2 s", "PROCESSING", "of 100 delivered", plan=LONG, sensor={"timeout": 2}
    ),
    _skipping("timeout, soft_fail", plan=LONG, sensor={"timeout": 1, "soft_fail": True}),
    _failing("401", "CommsPermanentError", "401", "Twilio code 20003", "Check login", faults=((401, {}),)),
    _failing("403", "CommsPermanentError", "403", "Twilio code 70051", faults=((403, {}),)),
    _skipping("401, soft_fail", faults=((401, {}),), sensor={"soft_fail": True}),
    _failing("400", "CommsPermanentError", "400", faults=((400, {}),)),
    Way("404 early", faults=((404, {"times": 1}),)),
    _failing("404 late", "CommsPermanentError", "404", "7 days", plan=LONG, faults=((404, {"skip": 1}),), sensor=LATE),
    Way("429 storm", faults=((429, {"times": 3}),)),
    Way("429 with Retry-After", faults=((429, {"times": 1, "retry_after": 1}),)),
    Way("503 for a while", faults=((503, {"times": 3}),)),
    Way("connection reset for a while", faults=(("reset", {"times": 3}),)),
    Way("server gone and back", plan={"processing_for": 0.5}, gone_for=2.5),
    Way("truncated", faults=(("truncated", {"times": 2}),)),
    Way("unknown status", faults=(("raw", {"times": 2, "status": 200, "body": PAUSED}),)),
    _failing("HTML at once", "CommsPermanentError", "not valid JSON", "text/html", faults=(("html", {}),)),
    Way("HTML later", faults=(("html", {"skip": 1, "times": 1}),), sensor=LATE),
    _failing(
        "secret in the body",
        "CommsWaitTimeout",
        "***",
        faults=(("raw", {"status": 500, "body": f'{{"message": "no {PASSWORD} for jo@example.com"}}'}),),
        sensor={"timeout": 1},
    ),
)

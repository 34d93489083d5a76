"""The provider is upgraded in mid-wait: the triggers' rows were written by version 0.1.0, and are read by this one."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from local_airflow.distributed import TRIGGERERS
from trials.bounds import WITHIN, requests_of

if TYPE_CHECKING:
    from trials.cluster import Cluster

KEPT = (
    "resource",
    "operation_id",
    "comms_conn_id",
    "poke_interval",
    "started_at",
    "timeout",
    "on_canceled",
    "fail_if",
    "adaptive",
    "grace",
    "ends_task",
)
"""Arguments of the trigger that 0.1.0 has already, under the names that they have today."""
ENVELOPE = "__var"
ROWS = "SELECT id, kwargs FROM trigger WHERE id IN (SELECT trigger_id FROM task_instance WHERE run_id = :run)"


def as_0_1_0_wrote_it(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a trigger as 0.1.0 has stored them; Airflow may have stored them in an envelope."""
    arguments = stored.get(ENVELOPE, stored)
    old = {name: arguments[name] for name in KEPT if name in arguments}
    assert old["operation_id"]
    if "next_poll_at" in arguments:  # Not where a wait begins in the triggerer.
        old["next_look_at"] = arguments["next_poll_at"]
    return {**stored, ENVELOPE: old} if ENVELOPE in stored else old


def test_waits_of_version_0_1_0_go_on(cluster: Cluster) -> None:
    trial, begun = cluster.trial("rows of version 0.1.0"), time.time()
    waits = cluster.start_waits(cluster.api("upgraded"))
    cluster.wait_until_deferred(waits)

    cluster.kill(*TRIGGERERS)
    (run,) = waits.runs
    fernet = Fernet(cluster.airflow.env["AIRFLOW__CORE__FERNET_KEY"])
    rows = cluster.ledger.rows(ROWS, run=run.run_id)
    assert len(rows) == len(waits.ids)
    for row, stored in rows:
        is_plain = stored.startswith("{")  # As a worker has it stored.
        arguments = json.loads(stored if is_plain else fernet.decrypt(stored))
        old = json.dumps(as_0_1_0_wrote_it(arguments))
        kwargs = old if is_plain else fernet.encrypt(old.encode()).decode()
        cluster.ledger.rows("UPDATE trigger SET kwargs = :kwargs WHERE id = :id", kwargs=kwargs, id=row)
    cluster.start(*TRIGGERERS)
    waits.end_operations(over=10)

    figures = trial.end(waits, recovered_at=time.time(), at_most=requests_of(waits, begun=begun, starts=2))
    figures.check(WITHIN)

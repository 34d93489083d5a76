"""The API fails in eight ways at once, each for waits on a connection of their own."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from local_airflow.distributed import TRIGGERERS
from trials.bounds import requests_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from trials.cluster import Api, Cluster, Waits
    from trials.figures import Figures

LASTS = float(os.environ.get("TRIAL_OUTAGE_SECONDS", "120"))
WITHIN = 60.0
"""Seconds after an outage in which the last wait must have ended: a poll, a Retry-After, and Airflow's own part."""


@dataclass(frozen=True)
class Outage:
    """
    One way to fail.

    :param name: for the table
    :param begin: lets the API fail
    :param per_poll: requests of a poll, where that is not one for each wait
    """

    name: str
    begin: Callable[[Cluster, Api], object]
    per_poll: int | None = None

    @property
    def conn_id(self) -> str:
        """The connection that this happens to."""
        return "".join(one if one.isalnum() else "_" for one in self.name.lower())


def _fault(kind: int | str, **fields: float) -> Callable[[Cluster, Api], object]:
    return lambda _, api: api.simulator.fault(kind, **fields)


def _rotate(cluster: Cluster, api: Api) -> None:
    """Store the other credential, and accept the old one no more."""
    cluster.airflow.api.set_connection(api.conn_id, json.loads(api.simulator.connection_json(api_key=True)))
    api.simulator.revoke(api.simulator.account_sid)


# What asks whether a failing API is back: two lists at most, ten operations side by side, and who is urgent.
PROBES = 16
OUTAGES = (
    Outage("API hangs", _fault("hang"), PROBES),
    Outage("API refuses connections", lambda _, api: api.simulator.stop(), PROBES),
    Outage("429 to all", _fault(429, retry_after=10), PROBES),
    Outage("503 to 30 %", _fault(503, share=0.3)),
    Outage("answers after 10 s", _fault("slow", seconds=10), PROBES),
    Outage("1 in 10 truncated", _fault("truncated", share=0.1)),
    Outage("credential rotated", _rotate, PROBES),
)


@pytest.fixture(scope="module")
def outages(cluster: Cluster) -> dict[str, Figures]:
    """Run them side by side; return the figures of each."""
    apis = [cluster.api(one.conn_id) for one in OUTAGES]
    trials, begun = [cluster.trial(one.name) for one in OUTAGES], time.time()
    all_waits = [cluster.start_waits(api) for api in apis]
    for waits in all_waits:
        cluster.wait_until_deferred(waits, seconds=180)
    for outage, waits in zip(OUTAGES, all_waits, strict=True):
        waits.end_operations(over=LASTS)
        outage.begin(cluster, waits.api)
    time.sleep(LASTS)
    for waits in all_waits:
        waits.api.simulator.clear_faults()
        if "stopped" in repr(waits.api.simulator):
            waits.api.simulator.start()
    over = time.time()
    return {
        one.name: trial.end(waits, at_most=_at_most(one, waits, begun), recovered_at=over)
        for one, trial, waits in zip(OUTAGES, trials, all_waits, strict=True)
    }


def _at_most(outage: Outage, waits: Waits, begun: float) -> int:
    each = len(waits.ids) / len(TRIGGERERS)
    return requests_of(waits, begun=begun, starts=1, per_poll=outage.per_poll or each)


@pytest.mark.parametrize("name", [one.name for one in OUTAGES])
def test_no_wait_is_lost(outages: dict[str, Figures], name: str) -> None:
    outages[name].check(WITHIN)

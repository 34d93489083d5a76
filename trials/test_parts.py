"""Parts of Airflow are killed in mid-wait, and started again as a service manager does."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from local_airflow.distributed import TRIGGERERS, WORKERS
from trials.bounds import INTERVAL, WITHIN, requests_of
from trials.cluster import ALIVE_WITHIN

if TYPE_CHECKING:
    from trials.cluster import Cluster

RUNS = 5
"""Of a DAG with some forty waits: each trigger carries its whole DAG with it, so many waits are better many runs."""
STOPPED_FOR = 60.0
RESUMING = int(os.environ.get("TRIAL_WAITS_RESUMING", "12"))
ONE, TWO = TRIGGERERS


def test_a_triggerer_is_killed_three_times(cluster: Cluster) -> None:
    trial, begun = cluster.trial("a triggerer killed three times"), time.time()
    waits = cluster.start_waits(cluster.api("triggerer_killed"), runs=RUNS)

    for name in (ONE, TWO, ONE):
        cluster.wait_until_deferred(waits)
        cluster.kill(name)
        cluster.start(name)
        time.sleep(ALIVE_WITHIN)  # Before that the dead one's waits would count as being with one that is alive.
    cluster.wait_until_deferred(waits)
    waits.end_operations()

    figures = trial.end(waits, recovered_at=time.time(), at_most=requests_of(waits, begun=begun, starts=4))
    figures.check(WITHIN)


def test_both_triggerers_are_stopped(cluster: Cluster) -> None:
    trial, begun = cluster.trial(f"both triggerers gone for {STOPPED_FOR:.0f} s"), time.time()
    waits = cluster.start_waits(cluster.api("triggerers_stopped"), runs=RUNS)
    cluster.wait_until_deferred(waits)

    cluster.kill(*TRIGGERERS)
    waits.end_operations(over=STOPPED_FOR)
    time.sleep(STOPPED_FOR)
    cluster.start(*TRIGGERERS)

    figures = trial.end(waits, recovered_at=time.time(), at_most=requests_of(waits, begun=begun, starts=2))
    figures.check(WITHIN)


def test_a_worker_is_killed_while_it_resumes_waits(cluster: Cluster) -> None:
    _kill_in_the_resume(cluster, "worker", WORKERS[0])


def test_redis_is_killed_while_workers_resume_waits(cluster: Cluster) -> None:
    _kill_in_the_resume(cluster, "redis", "Redis")


def test_the_scheduler_is_killed(cluster: Cluster) -> None:
    trial, begun = cluster.trial("the scheduler killed"), time.time()
    waits = cluster.start_waits(cluster.api("scheduler_killed"), runs=RUNS)
    cluster.wait_until_deferred(waits)

    cluster.kill("scheduler")
    waits.end_operations(over=INTERVAL)
    time.sleep(INTERVAL)
    cluster.start("scheduler")

    figures = trial.end(waits, recovered_at=time.time(), at_most=requests_of(waits, begun=begun, starts=1))
    figures.check(WITHIN)


def test_postgresql_is_killed(cluster: Cluster) -> None:
    trial, begun = cluster.trial("PostgreSQL killed"), time.time()
    waits = cluster.start_waits(cluster.api("postgresql_killed"), runs=RUNS)
    cluster.wait_until_deferred(waits)

    cluster.kill("PostgreSQL")
    waits.end_operations(over=2 * INTERVAL)
    time.sleep(INTERVAL)
    cluster.start("PostgreSQL")

    figures = trial.end(waits, recovered_at=time.time(), at_most=requests_of(waits, begun=begun, starts=3))
    figures.check(WITHIN)


def _kill_in_the_resume(cluster: Cluster, conn_id: str, name: str) -> None:
    trial, begun = cluster.trial(f"{name} killed in the resume"), time.time()
    waits = cluster.start_waits(cluster.api(conn_id), dag_id="waits_on_workers", each=RESUMING)
    cluster.wait_until_deferred(waits)

    waits.end_operations()
    (run,) = waits.runs
    cluster.wait_for(lambda: cluster.ledger.states(run.run_id).get("running", 0) > 2, "tasks on both workers", 60)
    cluster.kill(name)
    cluster.start(name)

    figures = trial.end(waits, recovered_at=time.time(), at_most=requests_of(waits, begun=begun, starts=2))
    figures.check(2 * WITHIN)
    assert cluster.outcome(waits).tries <= 2, "one kill cost a wait more than one retry"

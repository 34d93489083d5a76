"""
What a thousand deferred waits cost in a real triggerer, and how soon after the last end all their tasks can continue.

It matters because that is where waits live: in one process, beside what Airflow does there itself, and an event counts
when Airflow has stored it. How long that takes is measured too, with triggers that know when to fire. The peer
does as providers' triggers do: a loop each, and in it a new aiohttp session for each poll.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.deferred_airflow import DeferredAirflow
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api
from local_airflow.postgres import find_programs, postgres
from local_airflow.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.deferred_airflow import Runner
    from benchmarks.deferring import Deferral

WAITS = 1000
LASTS = 25.0
"""Seconds from the begin of a wait to the end of its operation."""
SPREAD = 3.0
"""Seconds over which the waits begin, and so over which the operations end."""
RECIPIENTS = 100
"""Of an operation; enough for its counters to change from poll to poll, which our waits log and the peer ignores."""
POKE_INTERVAL = 5.0
ROUNDS = 1
"""Of each load with each database; all together take five minutes."""
LEAD = 2.0
"""Seconds for what must be done between the making of the operations and the first wait."""
ALL_IN_BY = 5.0
"""Seconds before the first end by which the triggerer must have taken all."""
CHECK_EVERY = 0.25
LATEST = 120.0

CONN_ID = "twilio_comms_default"
MOST_BEYOND = Bound("≤", 3, "s")
MOST_REQUESTS = Bound("≤", 12 + WAITS, "")
MOST_CPU = Bound("≤", 2, "s")


@dataclass(frozen=True)
class Wait:
    """
    What one task waits for. Times are in seconds since the epoch.

    :param operation_id: id of the operation.
    :param begins: when the task is deferred.
    :param ends: when the operation ends.
    :param all_ended: when the last of all ends.
    """

    operation_id: str
    begins: float
    ends: float
    all_ended: float


@dataclass(frozen=True)
class Measured:
    """
    What a load cost.

    :param late: seconds from the last operation's end until the last task was no longer deferred.
    :param polled: seconds from the last operation's end until the last request; 0 if there was none.
    :param requests: how many there were by then.
    :param cpu: seconds of the runner's CPU.
    :param memory: most MB that the runner held.
    :param blocked: seconds for which its loop stood still at the longest.
    """

    late: float
    polled: float
    requests: float
    cpu: float
    memory: float
    blocked: float


def sleeping(wait: Wait) -> tuple[str, dict[str, Any]]:
    """Return the trigger that leaves nothing but Airflow's own work: all fire at once, as a shared poll lets them."""
    arguments = {"operation_id": wait.operation_id, "ends_at": wait.all_ended}
    return "benchmarks.waiting_triggers.SleepingTrigger", arguments


def ours(wait: Wait) -> tuple[str, dict[str, Any]]:
    """Return the trigger that our sensor defers to, after it has polled once."""
    return "airflow_provider_comms.triggers.operation.CommsOperationTrigger", {
        "resource": "emails",
        "operation_id": wait.operation_id,
        "comms_conn_id": CONN_ID,
        "poke_interval": POKE_INTERVAL,
        "started_at": wait.begins,
        "next_poll_at": wait.begins + POKE_INTERVAL,
    }


def own_session(wait: Wait) -> tuple[str, dict[str, Any]]:
    """Return the peer's trigger."""
    arguments = {"operation_id": wait.operation_id, "comms_conn_id": CONN_ID, "poke_interval": POKE_INTERVAL}
    return "benchmarks.waiting_triggers.OwnSessionTrigger", arguments


LOADS = sleeping, ours, own_session


def run() -> Report:
    with TemporaryDirectory(prefix="airflow-provider-comms-triggerer-") as folder:
        figures, notes = _figures(Path(folder))
    return Report(
        "in_the_triggerer",
        f"what do {WAITS:,} deferred waits cost in a real triggerer, every {POKE_INTERVAL:.0f} s?",
        "own sessions",
        figures,
        [
            f"Operations of {LASTS:.0f} s that end over {SPREAD:.0f} s; their counters move, and ours logs that.",
            "One triggerer, fresh for each load.",
            "Airflow's: with triggers that ask nothing, and fire when the last operation has ended.",
            f"A poll comes up to {POKE_INTERVAL:.0f} s after an end; later if the loop is blocked.",
            "Own sessions: aiohttp, a session per poll; without TLS, which would make them more expensive.",
            *notes,
        ],
    )


def _figures(folder: Path) -> tuple[list[Figure], list[str]]:
    notes = []
    with Processes(folder / "logs") as processes:
        figures = _with_database("SQLite", f"sqlite:///{folder / 'SQLite' / 'airflow.db'}", folder, processes)
        if find_programs():
            with postgres(processes) as url:
                figures += _with_database("PostgreSQL", url, folder, processes)
        else:
            notes.append("PostgreSQL is not installed here: not measured with it.")
    return figures, notes


def _with_database(name: str, url: str, folder: Path, processes: Processes) -> list[Figure]:
    home = folder / name
    home.mkdir()
    airflow = DeferredAirflow(home, url, WAITS, processes)
    airflow.prepare()
    rounds = [[_measured(airflow, load) for load in LOADS] for _ in range(ROUNDS)]
    return _compared(name, *(_median(of_load) for of_load in zip(*rounds, strict=True)))


def _median(rounds: tuple[Measured, ...]) -> Measured:
    return Measured(*map(median, zip(*map(astuple, rounds), strict=True)))


def _measured(airflow: DeferredAirflow, load: Callable[[Wait], tuple[str, dict[str, Any]]]) -> Measured:
    with (
        simulated_api() as api,
        airflow.triggerer({CONN_ID: api.connection("twilio_comms")}) as runner,
        airflow.running_tasks(WAITS) as defer,
    ):
        waits = _begin(api)
        before = runner.cpu()
        defer([_deferral(wait, *load(wait)) for wait in waits])
        out, memory = _see_all_out(airflow, runner, waits)
        counts, last_end = api.counts(), waits[-1].ends
        return Measured(
            late=out - last_end,
            polled=_last_request(counts) - last_end if counts["total"] else 0.0,
            requests=counts["total"],
            cpu=runner.cpu() - before,
            memory=memory,
            blocked=runner.longest_block(),
        )


def _last_request(counts: dict[str, Any]) -> float:
    """Return when the last request came; the simulator notes that by the clock that all processes share."""
    return time.time() - time.monotonic() + max(request["at"] for request in counts["recent"])


def _begin(api: SimulatedApi) -> list[Wait]:
    """Make the operations, and plan a wait for each in their order; count requests from now on."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

    # They are created in the seconds before now, so that they can be listed.
    later = SPREAD + LEAD
    until = datetime.now(UTC).isoformat()
    api.seed(WAITS, processing_for=later + LASTS, recipients=RECIPIENTS, spread=SPREAD, until=until)
    with CommsClient(ClientSettings(**api.access)) as client:
        created = sorted((one.created_at.timestamp(), one.id) for one in client.list_operations("emails"))
    api.forget_requests()
    all_ended = created[-1][0] + later + LASTS
    return [Wait(one, at + later, at + later + LASTS, all_ended) for at, one in created]


def _deferral(wait: Wait, trigger: str, arguments: dict[str, Any]) -> Deferral:
    return {"at": wait.begins, "trigger": trigger, "arguments": arguments}


def _see_all_out(airflow: DeferredAirflow, runner: Runner, waits: list[Wait]) -> tuple[float, float]:
    """Wait until no task is deferred; return when that was, and the runner's peak of memory on the way."""
    first, last = waits[0].ends, waits[-1].ends
    time.sleep(max(0.0, first - ALL_IN_BY - time.time()))
    if (there := airflow.tasks.in_triggerer()) < WAITS:
        raise RuntimeError(f"The triggerer has taken {there} of {WAITS} triggers; LASTS is too short for this machine.")
    peak = 0.0
    while left := airflow.tasks.deferred():
        runner.check()
        peak = max(peak, runner.memory())
        if time.time() > last + LATEST:
            raise RuntimeError(f"{left} tasks are still deferred, {LATEST:.0f} s after the last end.")
        time.sleep(CHECK_EVERY)
    out = time.time()
    if (finished := airflow.tasks.finished()) < WAITS:
        raise RuntimeError(f"{finished} of {WAITS} tasks received the event that their operation has finished.")
    return out, peak


def _compared(name: str, airflows: Measured, ours: Measured, peer: Measured) -> list[Figure]:
    """Set ours beside the peer, and both beside what is Airflow's own."""

    def figure(what: str, unit: str, value: str, bound: Bound | None = None) -> Figure:
        of_ours, of_peer = getattr(ours, value), getattr(peer, value)
        ratio = of_ours / of_peer if of_peer else None
        return Figure(
            what=f"{name}: {what}", ours=of_ours, peer=of_peer, unit=unit, ratio=ratio, bound=bound, judged=of_ours
        )

    def beyond(what: str, value: str, bound: Bound | None = None) -> Figure:
        own = getattr(airflows, value)
        of_ours, of_peer = getattr(ours, value) - own, getattr(peer, value) - own
        return Figure(
            what=f"{name}: {what} beyond Airflow's {own:.1f} s",
            ours=of_ours,
            peer=of_peer,
            unit="s",
            bound=bound,
            judged=of_ours,
        )

    return [
        figure("last poll after the last end", "s", "polled"),
        figure("all done after the last end", "s", "late"),
        beyond("all done", "late", MOST_BEYOND),
        figure("requests", "", "requests", MOST_REQUESTS),
        figure("runner's CPU", "s", "cpu", MOST_CPU),
        beyond("runner's CPU", "cpu"),
        figure("runner's memory", "MB", "memory"),
        figure("runner's loop blocked longest", "s", "blocked"),
    ]

"""
Whether very many waits cost as many requests as the model behind `docs/scale.md` says.

It matters because nobody can try a million waits in advance: the page is only as good as its model. The scans of
several triggerers read one simulated account, whose clock is advanced between two cycles; each waits for operations
picked at random. The peer is the model.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.measure import apart
from benchmarks.report import Bound, Figure, Report
from benchmarks.scale.account import RESOURCE, Account
from benchmarks.scale.model import Load, cycle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_comms.comms.settings import ClientSettings
    from airflow_provider_comms.polling.clients import SharedClient
    from airflow_provider_comms.polling.poller import Poller
    from airflow_provider_comms.simulator import Simulator

AS_MODELLED = Bound("≤", 5, "% off")
CONNECTION = "AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"
STANDING, JOINING = 400, 400
INTERVAL = 3.0
INTERVALS = 5


@dataclass(frozen=True)
class Trial:
    """
    Poll cycles against an account, whose requests are counted.

    :param load: what is waited for.
    :param cycles: how many poll cycles each triggerer runs.
    :param driven: so many triggerers do, and the others would do the same; None for all.
    :param kinds: see `Account`.
    """

    load: Load
    cycles: int
    driven: int | None = None
    kinds: int = 120

    @property
    def expected(self) -> float:
        """Requests of a triggerer's poll cycle, according to the model."""
        own = self.load.waits / self.load.triggerers
        return cycle(self.load, own, self.load.poke_interval).requests

    @property
    def what(self) -> str:
        shared = "1 triggerer" if self.load.triggerers == 1 else f"{self.load.triggerers} triggerers"
        others = "" if self.load.joining else f", {self.load.others:,} others, none joins"
        return f"{self.load.waits:,} waits, {shared}{others}"


TRIALS = (
    Trial(Load(waits=20_000, triggerers=1), cycles=3),
    Trial(Load(waits=20_000, triggerers=4), cycles=2),
    Trial(Load(waits=20_000, triggerers=10), cycles=1),
    Trial(Load(waits=20_000, triggerers=2, others=50_000, joining=False), cycles=2),
    Trial(Load(waits=100_000, triggerers=1), cycles=1),
    Trial(Load(waits=100_000, triggerers=10), cycles=2, driven=1),
    Trial(Load(waits=1_000_000, triggerers=100), cycles=1, driven=1, kinds=12),
)


def run() -> Report:
    return Report(
        "very_many_waits",
        "what do they cost in requests, and does the model know?",
        "the model",
        [
            *(_figure(f"requests per cycle: {trial.what}", _requests_of(trial), trial.expected) for trial in TRIALS),
            _figure("cycles per interval while waits join", apart(cycles_while_joining), 1.0),
        ],
        [
            "An operation lasts an hour on average; cycles are a minute apart.",
            *(f"{trial.what}: {trial.driven} polls; the others would do the same." for trial in TRIALS if trial.driven),
        ],
    )


def _figure(what: str, ours: float, modelled: float) -> Figure:
    ratio = ours / modelled
    off = abs(ratio - 1) * 100
    return Figure(what=what, ours=ours, peer=modelled, unit="", ratio=ratio, bound=AS_MODELLED, judged=off)


def _requests_of(trial: Trial) -> float:
    driven = trial.driven or trial.load.triggerers
    return apart(requests_per_cycle, fields=asdict(trial.load), cycles=trial.cycles, driven=driven, kinds=trial.kinds)


def requests_per_cycle(fields: dict[str, Any], cycles: int, driven: int, kinds: int) -> float:
    """Let some triggerers poll; return the mean number of requests per cycle."""
    from airflow_provider_comms.simulator import Simulator

    with Simulator(frozen=True) as simulator:
        account = Account(Load(**fields), driven, kinds, simulator)
        return asyncio.run(_poll_all(account, simulator, cycles)) / cycles / driven


async def _poll_all(account: Account, simulator: Simulator, cycles: int) -> int:
    from airflow_provider_comms.polling.clients import shared_client

    shares = account.fill()
    settings = _settings_of(simulator)

    async def read_settings() -> ClientSettings:
        return settings

    async with shared_client(CONNECTION, read_settings) as clients:
        triggerers = [_Triggerer(clients) for _ in shares]
        if not account.load.joining:
            # Only who has seen all before knows which window to list.
            shares = await _poll(triggerers, shares)
        simulator.clear_requests()
        for _ in range(cycles):
            begun = account.advance(account.load.poke_interval)
            shares = await _poll(triggerers, [old + new for old, new in zip(shares, begun, strict=True)])
        return simulator.request_counts()["total"]


class _Triggerer:
    """What one triggerer knows."""

    def __init__(self, clients: SharedClient) -> None:
        from airflow_provider_comms.comms.resource import Resource
        from airflow_provider_comms.polling.status_scan import StatusScan

        self._scan = StatusScan(clients, Resource(RESOURCE), self._note)
        self._found: dict[str, Any] = {}

    async def _note(self, found: Mapping[str, Any]) -> None:
        self._found |= found

    async def poll(self, ids: list[str]) -> list[str]:
        """Poll all; return those that are pending."""
        from airflow_provider_comms.polling.status_scan import PENDING

        self._found.clear()
        await self._scan.fetch(ids)
        while len(self._found) < len(ids):  # noqa: ASYNC110  (the last responses come after it returns)
            await asyncio.sleep(0.01)
        return [one for one in ids if self._found[one].status in PENDING]


async def _poll(triggerers: Sequence[_Triggerer], shares: list[list[str]]) -> list[list[str]]:
    """Let each triggerer poll its share; return what is left of it."""
    return [await triggerer.poll(ids) for triggerer, ids in zip(triggerers, shares, strict=True)]


def cycles_while_joining() -> float:
    """Let waits join a poll all the time; return how many cycles it runs per interval."""
    from airflow_provider_comms.simulator import Simulator

    with Simulator() as simulator:
        os.environ[CONNECTION] = simulator.connection_json()
        ids = [simulator.add_operation(RESOURCE, processing_for=3600) for _ in range(STANDING + JOINING)]
        asyncio.run(_join(ids))
        cycles = [request.at for request in simulator.requests if request.query.get("status") == "SCHEDULED"]
    return (len(cycles) - 1) * INTERVAL / (cycles[-1] - cycles[0])


async def _join(ids: list[str]) -> None:
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.hooks.comms import CommsHook
    from airflow_provider_comms.polling.shared import shared_poller

    read_settings = CommsHook("twilio_comms_default").aget_settings
    async with shared_poller("twilio_comms_default", Resource(RESOURCE), read_settings) as poller:
        waits = [asyncio.create_task(_wait(poller, one)) for one in ids[:STANDING]]
        for one in ids[STANDING:]:
            await asyncio.sleep(INTERVALS * INTERVAL / JOINING)
            waits.append(asyncio.create_task(_wait(poller, one)))
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _wait(poller: Poller, operation_id: str) -> None:
    """Wait until cancelled; a worker has polled just before."""
    known: dict[str, Any] = {}
    while True:
        update = await poller.wait_for_update(
            [operation_id], known, due_in=INTERVAL, interval=INTERVAL, unchanged_for=3600
        )
        known.update(update.found)


def _settings_of(simulator: Simulator) -> ClientSettings:
    from airflow_provider_comms.comms.settings import ClientSettings

    return ClientSettings(username=simulator.account_sid, password=simulator.auth_token, base_url=simulator.url)

"""
Whether very many waits cost as many requests as the model behind `docs/scale.md` says.

It matters because nobody can try a million waits before he has them: the page is only as good as its model. Surveys of
several triggerers look at one simulated account, whose clock is moved on between two looks; each waits for operations
picked by chance. The peer is the model.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.measure import apart
from benchmarks.report import Bound, Figure, Report
from benchmarks.scale.account import RESOURCE, Account
from benchmarks.scale.model import Load, look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.polling.poller import Poller
    from airflow_provider_comms.polling.status_scan import StatusScan
    from airflow_provider_comms.simulator import Simulator

AS_MODELLED = Bound("≤", 5, "% off")
CONNECTION = "AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"
STANDING, JOINING = 400, 400
INTERVAL = 3.0
INTERVALS = 5


@dataclass(frozen=True)
class Trial:
    """
    Looks at an account, to be counted.

    :param load: what is waited for.
    :param looks: how often each triggerer looks.
    :param driven: so many triggerers do, and the others would do the same; None for all.
    :param kinds: see `Account`.
    """

    load: Load
    looks: int
    driven: int | None = None
    kinds: int = 120

    @property
    def expected(self) -> float:
        """Requests of a triggerer's look, as the model has it."""
        own = self.load.waits / self.load.triggerers
        return look(self.load, own, self.load.poke_interval).requests

    @property
    def what(self) -> str:
        shared = "1 triggerer" if self.load.triggerers == 1 else f"{self.load.triggerers} triggerers"
        others = "" if self.load.joining else f", {self.load.others:,} others, none joins"
        return f"{self.load.waits:,} waits, {shared}{others}"


TRIALS = (
    Trial(Load(waits=20_000, triggerers=1), looks=3),
    Trial(Load(waits=20_000, triggerers=4), looks=2),
    Trial(Load(waits=20_000, triggerers=10), looks=1),
    Trial(Load(waits=20_000, triggerers=2, others=50_000, joining=False), looks=2),
    Trial(Load(waits=100_000, triggerers=1), looks=1),
    Trial(Load(waits=100_000, triggerers=10), looks=2, driven=1),
    Trial(Load(waits=1_000_000, triggerers=100), looks=1, driven=1, kinds=12),
)


def run() -> Report:
    return Report(
        "very_many_waits",
        "what do they cost in requests, and does the model know?",
        "the model",
        [
            *(_figure(f"requests a look: {trial.what}", _requests_of(trial), trial.expected) for trial in TRIALS),
            _figure("looks an interval while waits join", apart(looks_while_joining), 1.0),
        ],
        [
            "An operation lasts an hour in the mean; looks are a minute apart.",
            *(f"{trial.what}: {trial.driven} looks; the others would do the same." for trial in TRIALS if trial.driven),
        ],
    )


def _figure(what: str, ours: float, modelled: float) -> Figure:
    ratio = ours / modelled
    off = abs(ratio - 1) * 100
    return Figure(what=what, ours=ours, peer=modelled, unit="", ratio=ratio, bound=AS_MODELLED, judged=off)


def _requests_of(trial: Trial) -> float:
    driven = trial.driven or trial.load.triggerers
    return apart(requests_of_a_look, fields=asdict(trial.load), looks=trial.looks, driven=driven, kinds=trial.kinds)


def requests_of_a_look(fields: dict[str, Any], looks: int, driven: int, kinds: int) -> float:
    """Let some triggerers look; return the mean number of requests of a look."""
    from airflow_provider_comms.simulator import Simulator

    with Simulator(frozen=True) as simulator:
        account = Account(Load(**fields), driven, kinds, simulator)
        return asyncio.run(_look_all(account, simulator, looks)) / looks / driven


async def _look_all(account: Account, simulator: Simulator, looks: int) -> int:
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.polling.status_scan import StatusScan

    shares = account.fill()
    async with _client_of(simulator) as client:
        surveys = [StatusScan(client, Resource(RESOURCE)) for _ in shares]
        if not account.load.joining:
            # Only who has seen all before knows in which window to look.
            shares = await _look_at(surveys, shares)
        simulator.clear_requests()
        for _ in range(looks):
            begun = account.advance(account.load.poke_interval)
            shares = await _look_at(surveys, [old + new for old, new in zip(shares, begun, strict=True)])
        return simulator.request_counts()["total"]


async def _look_at(surveys: Sequence[StatusScan], shares: list[list[str]]) -> list[list[str]]:
    """Let each triggerer look at its share; return what is left of it."""
    from airflow_provider_comms.polling.status_scan import PENDING

    left = []
    for survey, ids in zip(surveys, shares, strict=True):
        seen = await survey.see(ids)
        left.append([one for one in ids if seen[one].status in PENDING])
    return left


def looks_while_joining() -> float:
    """Let waits join a poll all the time; return how often it looks in an interval."""
    from airflow_provider_comms.simulator import Simulator

    with Simulator() as simulator:
        os.environ[CONNECTION] = simulator.connection_json()
        ids = [simulator.add_operation(RESOURCE, processing_for=3600) for _ in range(STANDING + JOINING)]
        asyncio.run(_join(ids))
        looks = [request.at for request in simulator.requests if request.query.get("status") == "SCHEDULED"]
    return (len(looks) - 1) * INTERVAL / (looks[-1] - looks[0])


async def _join(ids: list[str]) -> None:
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.hooks.comms import CommsHook
    from airflow_provider_comms.polling.poller import shared_poller

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
    """Wait for ever; a worker has looked just before."""
    known: dict[str, Any] = {}
    while True:
        news = await poller.news([operation_id], known, due_in=INTERVAL, interval=INTERVAL, unchanged_for=3600)
        known.update(news.seen)


def _client_of(simulator: Simulator) -> AsyncCommsClient:
    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

    return AsyncCommsClient(
        ClientSettings(username=simulator.account_sid, password=simulator.auth_token, base_url=simulator.url)
    )

"""
What becomes of a send whose process is killed: SIGKILL at each step between "it is about to be sent" and "it was sent".

Each try is a process of its own, forked from one that has Airflow loaded, and a task as Airflow runs it but for the
scheduler. The steps are calls and returns in all threads, of Python and of C functions; those around the socket are all
taken, the others evenly. The next try runs to its end. The simulated API says what was accepted.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.measure import apart
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS = 50
PEOPLE = 4
NONE = Bound("≤", 0, "")
LAG_FOR_EVER = 86_400.0
ENDS = ("accepted before, adopted", "sent by the next try", "unknown, and accepted", "unknown, and not accepted")
_SOCKET_CALLS = frozenset({"connect", "connect_ex", "send", "sendall", "sendmsg", "recv", "recv_into", "close"})


def run() -> Report:
    figures = []
    with simulated_api() as api:
        for has_store in (True, False):
            for lag in (0.0, LAG_FOR_EVER):
                counted = apart(kill_and_retry, url=api.url, kills=KILLS, has_store=has_store, lag=lag)
                figures += _figures(has_store=has_store, lag=lag, counted=counted)
    return Report(
        "killed_sends",
        f"who is sent it twice, or forgotten, when the process is killed at {KILLS} steps?",
        "",
        figures,
        [
            "Without a store: as on an Airflow before 3.3.",
            "Lagging: the API's list does not show what was accepted for as long as it is looked for.",
        ],
    )


def _figures(*, has_store: bool, lag: float, counted: dict[str, int]) -> list[Figure]:
    setting = f"{'task state store' if has_store else 'no store'}, {'lagging list' if lag else 'prompt list'}"
    shown = [
        Figure(what=f"{setting}: {what}", ours=counted.get(what, 0), unit="sends")
        for what in ("killed", *ENDS)
        if what == "killed" or counted.get(what)
    ]
    return [
        *shown,
        *(
            Figure(what=f"{setting}: {what}", ours=counted[what], unit="people", bound=NONE, judged=counted[what])
            for what in ("sent it twice", "forgotten in silence")
        ),
    ]


def kill_and_retry(url: str, kills: int, has_store: bool, lag: float) -> dict[str, int]:
    """
    Kill a send at some steps, and let the next try run to its end each time.

    :return: how many sends were `killed`, came to each of `ENDS`, and how many people were `sent it twice` or
        `forgotten in silence`: the task says that it has sent, and they were not accepted.
    """
    api = SimulatedApi(url)
    os.environ["AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"] = api.connection("twilio_comms")
    _load()
    api.reset()
    api.settings(item_lag=lag)
    counted = Counter(dict.fromkeys(("killed", "sent it twice", "forgotten in silence"), 0))
    with TemporaryDirectory() as folder:
        steps = _steps(Path(folder), kills, has_store=has_store)
        for number, step in enumerate(steps):
            store = Path(folder, str(number)) if has_store else None
            first = run_try(Try(run_id=f"kill{number}", store=store, kill_at=step))
            before = _accepted(api, f"kill{number}")
            last = run_try(Try(run_id=f"kill{number}", store=store, try_number=2))
            counted.update(_judged(first, last, before, _accepted(api, f"kill{number}")))
    return dict(counted)


def _judged(first: Any, last: Any, before: Counter[str], after: Counter[str]) -> Iterator[str]:
    if first is None:
        yield "killed"
    yield from ["sent it twice"] * sum(times > 1 for times in after.values())
    if last == "CommsSendUnknown":
        yield ENDS[2 if before else 3]
    elif isinstance(last, dict):
        yield ENDS[0 if before == after else 1]
        yield from ["forgotten in silence"] * (PEOPLE - len(after))
    else:
        raise AssertionError(last)


def _accepted(api: SimulatedApi, run_id: str) -> Counter[str]:
    recipients = api.accepted_recipients().items()
    return Counter({name: times for name, times in recipients if name.startswith(f"{run_id}-")})


def _steps(folder: Path, kills: int, *, has_store: bool) -> list[int]:
    """Return the steps at which to kill: those next to a socket's calls first, then others evenly."""
    counted = run_try(Try(run_id="counted", store=folder / "counted" if has_store else None, kill_at=0))
    total, near = counted["total"], counted["near"]
    chosen = sorted({step + offset for step in near for offset in (0, 1) if 0 < step + offset < total})
    if len(chosen) > kills // 2:
        chosen = [chosen[round(at * (len(chosen) - 1) / (kills // 2 - 1))] for at in range(kills // 2)]
    others = kills - len(chosen)
    return sorted([*chosen, *(1 + round(at * (total - 2) / max(1, others - 1)) for at in range(others))])


@dataclass(frozen=True, kw_only=True)
class Try:
    """
    A try of the task.

    :param store: folder of the task state store, which outlives the process; None for none.
    :param kill_at: the step at which the process kills itself; 0 to count the steps; None for neither.
    """

    run_id: str
    store: Path | None
    try_number: int = 1
    kill_at: int | None = None


def run_try(one: Try) -> Any:
    """Run a try in a process of its own; return its XCom, the name of its error, or None if it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(one, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else None


def _be_the_child(one: Try, writer: int) -> None:
    try:
        answer = _execute(one)
    except BaseException as error:  # noqa: BLE001
        answer = type(error).__name__
    with suppress(BaseException), os.fdopen(writer, "wb") as pipe:
        pipe.write(pickle.dumps(answer))
    os._exit(0)


def _execute(one: Try) -> Any:
    from airflow_provider_comms.operators.send import CommsSendEmailsOperator

    steps = Steps(one.kill_at)
    if one.kill_at is not None:
        threading.setprofile(steps)
        sys.setprofile(steps)
    operator = CommsSendEmailsOperator(
        task_id="send",
        from_={"address": "news@example.com", "name": "News"},
        to=[f"{one.run_id}-{number}@example.com" for number in range(PEOPLE)],
        subject="Hi",
        html="<p>Hi</p>",
        chunk_size=PEOPLE // 2,
        confirm_for=0.3,
    )
    xcom = operator.execute(_context(one))
    sys.setprofile(None)
    return {"total": steps.count, "near": steps.near} if one.kill_at == 0 else xcom


@dataclass
class Steps:
    """Counts calls and returns, from the first request to the last answer written down; kills at one of them."""

    kill_at: int | None
    count: int = 0
    near: list[int] = field(default_factory=list)
    is_on: bool = False
    ends: int = 0

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_name == "_try_post":
            self.is_on = True
        if not self.is_on:
            return
        self.count += 1
        if event.startswith("c_") and getattr(argument, "__name__", "") in _SOCKET_CALLS:
            self.near.append(self.count)
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if event == "return" and frame.f_code.co_name == "_note_accepted":
            self.ends += 1
            self.is_on = self.ends < 2


def _context(one: Try) -> dict[str, Any]:
    context: dict[str, Any] = {"ti": _TaskInstance(one.run_id, one.try_number)}
    return context if one.store is None else {**context, "task_state_store": _Store(one.store)}


@dataclass
class _TaskInstance:
    run_id: str
    try_number: int
    dag_id: str = "newsletter"
    task_id: str = "send"
    map_index: int = -1


class _Store:
    """Airflow's task state store as a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def get(self, key: str) -> Any:
        path = self.folder / key
        return json.loads(path.read_text()) if path.exists() else None

    def set(self, key: str, value: Any) -> None:
        (self.folder / f"{key}.part").write_text(json.dumps(value))
        (self.folder / f"{key}.part").replace(self.folder / key)

    def delete(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)


def _load() -> None:
    """Import all that a try needs, so that its process need not."""
    import airflow_provider_comms.comms.client
    import airflow_provider_comms.operators.send
    import airflow_provider_comms.tasks.send  # noqa: F401

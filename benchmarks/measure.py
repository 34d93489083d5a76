"""Measuring: a load in a fresh process, what it spent there, and medians over rounds."""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[1]
LONGEST = 450.0
"""Seconds after which a load is given up."""
MEGABYTE = 2**20


@dataclass
class Spent:
    """
    What a block of code took.

    :param cpu: seconds of the process in user and system mode, all threads.
    :param seconds: time that passed.
    """

    cpu: float = 0.0
    seconds: float = 0.0


@contextmanager
def spending(*, freeze: bool = True) -> Iterator[Spent]:
    """
    Measure a block; read the result after it.

    :param freeze: put what was imported before out of the garbage collector's sight. False is for what is measured in a
        process that has loaded Airflow on purpose: how often a load makes the collector go through it is its own doing.
    """
    gc.collect()
    if freeze:
        gc.freeze()
    spent, cpu, begun = Spent(), time.process_time(), time.perf_counter()
    yield spent
    spent.cpu, spent.seconds = time.process_time() - cpu, time.perf_counter() - begun


def peak_memory() -> float:
    """Return the most memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands ru_maxrss on from the parent; VmHWM is the process's own.
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024 / MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def apart(load: Callable[..., Any], *, env: Mapping[str, str] | None = None, **arguments: Any) -> Any:
    """
    Call a function in a fresh process.

    :param load: a function of a module; what it returns must be JSON.
    :param env: variables to add to the environment.
    :param arguments: what it is called with; JSON too.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.apart", load.__module__, load.__name__],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    )
    if done.returncode:
        raise RuntimeError(f"{load.__module__}.{load.__name__} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def alternate(rounds: int, *loads: Callable[[], float]) -> list[list[float]]:
    """
    Measure loads in turn, A B A B ..., so that what else the machine does hits all alike.

    :return: per load, one value per round.
    """
    measured = [[load() for load in loads] for _ in range(rounds)]
    return [list(values) for values in zip(*measured, strict=True)]


def ratio_of(ours: list[float], peer: list[float]) -> float:
    """Return the median over rounds of ours to peer's: the two of a round ran next to each other."""
    return median(one / other for one, other in zip(ours, peer, strict=True))

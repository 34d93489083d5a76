"""Run the benchmarks by name, or all: `python -m benchmarks [NAME...]`. Exits with 1 if a bound is missed."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import (
    a_million_in_a_report,
    a_million_recipients,
    fetch_concurrently,
    hand_over,
    in_the_triggerer,
    killed_sends,
    listing_cpu,
    listing_memory,
    listing_parallel,
    outages,
    soak,
    steady_429,
    tasks_life,
    ten_thousand_waits,
    very_many_waits,
)
from benchmarks.report import Report, print_summary, print_table

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS: dict[str, Callable[[], Report]] = {
    "listing_cpu": listing_cpu.run,
    "listing_memory": listing_memory.run,
    "listing_parallel": listing_parallel.run,
    "a_million_in_a_report": a_million_in_a_report.run,
    "a_million_recipients": a_million_recipients.run,
    "killed_sends": killed_sends.run,
    "tasks_life": tasks_life.run,
    "fetch_concurrently": fetch_concurrently.run,
    "steady_429": steady_429.run,
    "ten_thousand_waits": ten_thousand_waits.run,
    "very_many_waits": very_many_waits.run,
    "in_the_triggerer": in_the_triggerer.run,
    "hand_over": hand_over.run,
    "outages": outages.run,
    "soak": soak.run,
}


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks", description="Measure the client beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all by default")
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    with TemporaryDirectory(prefix="airflow-provider-comms-benchmarks-") as airflow_home:
        # The peers that come from Airflow write its configuration into its home.
        os.environ |= {"AIRFLOW_HOME": airflow_home, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        reports = [_run(name) for name in names]
    print_summary(reports)
    return 0 if all(report.met for report in reports) else 1


def _run(name: str) -> Report:
    begun = time.monotonic()
    report = BENCHMARKS[name]()
    print_table(report, seconds=time.monotonic() - begun)
    return report


if __name__ == "__main__":
    sys.exit(main())

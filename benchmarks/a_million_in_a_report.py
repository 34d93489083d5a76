"""
What a report over a million operations takes: time, memory, and what it leaves.

It matters because a report runs on a worker beside others: a summary must not grow with what it sums up.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import apart, peak_memory, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import simulated_api

FEW, ALL = 10_000, 1_000_000
FORMATS = {"no rows": (), "jsonl.gz": ("jsonl.gz",), "parquet": ("parquet",)}
MOST_GROWTH = Bound("≤", 150, "MB")
MOST_XCOM = Bound("≤", 4096, "bytes")
MOST_HTML = Bound("≤", 50, "kB")


def run() -> Report:
    figures = []
    with simulated_api(emails=FEW) as few:
        before = {name: apart(report, formats=formats, expected=FEW, **few.access) for name, formats in FORMATS.items()}
    with simulated_api(emails=ALL) as api:
        for name, formats in FORMATS.items():
            figures += _figures(name, before[name], apart(report, formats=formats, expected=ALL, **api.access))
    return Report(
        "a_million_in_a_report",
        "what does a report over a million operations take?",
        "",
        figures,
        ["Growth is the peak's, from 10,000 operations to 1,000,000, imports of pyarrow and all included in both."],
    )


def _figures(name: str, few: dict[str, float], all_of_them: dict[str, float]) -> list[Figure]:
    growth = all_of_them["peak"] - few["peak"]
    return [
        Figure(what=f"{name}: {ALL:,}", ours=all_of_them["seconds"], unit="s"),
        Figure(what=f"{name}: peak of {FEW:,}", ours=few["peak"], unit="MB"),
        Figure(what=f"{name}: peak of {ALL:,}", ours=all_of_them["peak"], unit="MB"),
        Figure(what=f"{name}: growth", ours=growth, unit="MB", bound=MOST_GROWTH, judged=growth),
        Figure(
            what=f"{name}: XCom", ours=all_of_them["xcom"], unit="bytes", bound=MOST_XCOM, judged=all_of_them["xcom"]
        ),
        Figure(what=f"{name}: page", ours=all_of_them["html"], unit="kB", bound=MOST_HTML, judged=all_of_them["html"]),
        Figure(what=f"{name}: rows", ours=all_of_them["rows"], unit="MB"),
    ]


def report(formats: list[str], expected: int, **access: Any) -> dict[str, float]:
    """Report on the simulated e-mails; return time, the process's peak of memory, and sizes."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.comms.settings import ClientSettings
    from airflow_provider_comms.reports.produce import Outputs, produce
    from airflow_provider_comms.reports.report import ReportSpec
    from airflow_provider_comms.reports.window import window_of

    now = datetime.now(UTC)
    spec = ReportSpec(resources=[Resource.EMAILS], window=window_of(now - timedelta(days=7), now + timedelta(days=1)))
    with TemporaryDirectory() as folder, CommsClient(ClientSettings(**access)) as client, spending() as spent:
        outputs = Outputs(folder=Path(folder), formats=formats, html=Path(folder) / "report.html")
        made = produce(client, spec, outputs, account="AC…", now=now).as_json()
    assert made["operations"] == expected, made["operations"]
    return {
        "seconds": spent.seconds,
        "peak": peak_memory(),
        "xcom": len(json.dumps(made)),
        "html": made["files"]["html"]["bytes"] / 1000,
        "rows": sum(file["bytes"] for name, file in made["files"].items() if name != "html") / 2**20,
    }

"""The report command: the same report as the operator's, with files where the command line says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from airflow_provider_comms.cli.credentials import announced_settings
from airflow_provider_comms.cli.exits import Exit, OutputError, fail, say
from airflow_provider_comms.cli.output import write
from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.hooks.diagnosis import who_is
from airflow_provider_comms.reports.produce import Outputs, produce
from airflow_provider_comms.reports.report import ReportSpec
from airflow_provider_comms.reports.rows import check_formats, format_of
from airflow_provider_comms.reports.window import window_of, window_since
from airflow_provider_comms.waiting.thresholds import check_counters, parse_thresholds, violations

if TYPE_CHECKING:
    from argparse import Namespace

    from airflow_provider_comms.reports.window import Window
    from airflow_provider_comms.xcoms import ReportXCom

REDRAWN_EVERY = 0.2
"""Seconds between two changes of the line that shows the progress."""


def print_report(arguments: Namespace) -> Exit:
    """
    List, sum up, write the files, and print it.

    :raises CommsError: an argument is invalid, or the listing fails.
    :raises OutputError: a file, or standard output, cannot be written.
    """
    made = _report(arguments)
    is_json, summary = arguments.output == "json", made["summary"]
    text = json.dumps(made, indent=2) if is_json else summary["text" if arguments.output == "text" else "markdown"]
    write(f"{text}\n")
    for file in made["files"].values():
        say(f"Wrote {file['uri']} ({file['bytes']:,} bytes).")
    return fail(Exit.THRESHOLD, "; ".join(made["violations"])) if made["violations"] else Exit.OK


def _report(arguments: Namespace) -> ReportXCom:
    settings = announced_settings(arguments)
    now = datetime.now(UTC)
    thresholds = parse_thresholds(dict(arguments.fail_if))
    resources = list(Resource) if arguments.resource == "all" else [Resource(arguments.resource)]
    if len(resources) == 1:
        check_counters(resources[0], dict(arguments.fail_if))
    spec = ReportSpec(resources=resources, window=_window(arguments, now), status=arguments.status)
    outputs = _outputs(arguments)
    console = Console(stderr=True)
    with CommsClient(settings) as client, console.status("Listing ...") as line:
        if not console.is_terminal:
            line.stop()
        try:
            return produce(
                client,
                spec,
                outputs,
                account=f"{settings.name}: {who_is(settings)}",
                now=now,
                judge=lambda summaries: violations(thresholds, summaries.totals()),
                on_progress=lambda progress: line.update(str(progress)),
                progress_interval=REDRAWN_EVERY,
            ).as_json()
        except OSError as error:
            raise OutputError(f"Could not write {error.filename or 'a file'}: {error.strerror or error}.") from None


def _window(arguments: Namespace, now: datetime) -> Window:
    """Return the window that `--since`, or `--start-date` and `--end-date`, name; the last day by default."""
    if arguments.start_date is None and arguments.end_date is None:
        return window_since(arguments.since or "1d", now, arguments.timezone)
    if arguments.since:
        raise CommsArgumentError(
            "--since names the whole window: from then until now.",
            advice="Leave it out, or leave out --start-date and --end-date.",
        )
    if arguments.start_date is None:
        raise CommsArgumentError("--end-date is given without --start-date.", advice="Give both, or --since alone.")
    return window_of(arguments.start_date, arguments.end_date or now, arguments.timezone)


def _outputs(arguments: Namespace) -> Outputs:
    html = Path(arguments.html) if arguments.html else None
    if not arguments.rows:
        return Outputs(html=html)
    rows = Path(arguments.rows)
    (form,) = check_formats(format_of(rows.name))
    return Outputs(folder=rows.parent, name=rows.name[: -len(form) - 1], formats=(form,), html=html)

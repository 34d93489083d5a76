"""The report command: the same report as the operator's, with files where the command line says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_comms.cli.exits import OutputError
from airflow_provider_comms.cli.progress import stderr_console
from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.hooks.diagnosis import who_is
from airflow_provider_comms.reports.produce import Outputs, produce
from airflow_provider_comms.reports.report import ReportSpec
from airflow_provider_comms.reports.rows import check_formats, format_of
from airflow_provider_comms.reports.window import window_of, window_since
from airflow_provider_comms.waiting.thresholds import parse_thresholds, violations

if TYPE_CHECKING:
    from argparse import Namespace

    from airflow_provider_comms.comms.settings import ClientSettings
    from airflow_provider_comms.reports.produce import Report
    from airflow_provider_comms.reports.summary import Summaries
    from airflow_provider_comms.reports.window import Window

REDRAWN_EVERY = 0.2
"""Seconds between two changes of the line that shows the progress."""


def make_report(settings: ClientSettings, arguments: Namespace) -> Report:
    """
    List, sum up, write the files.

    :raises CommsError: an argument cannot be right, or the listing fails.
    :raises OutputError: a file cannot be written.
    """
    now = datetime.now(UTC)
    thresholds = parse_thresholds(dict(arguments.fail_if))
    resources = list(Resource) if arguments.resource == "all" else [Resource(arguments.resource)]
    spec = ReportSpec(resources=resources, window=window_from(arguments, now), status=arguments.status)
    outputs = _outputs(arguments)

    def judge(summaries: Summaries) -> list[str]:
        return violations(thresholds, summaries.totals())

    console = stderr_console()
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
                judge=judge,
                on_progress=lambda progress: line.update(str(progress)),
                progress_interval=REDRAWN_EVERY,
            )
        except OSError as error:
            raise OutputError(f"Could not write {error.filename or 'a file'}: {error.strerror or error}.") from None


def window_from(arguments: Namespace, now: datetime) -> Window:
    """
    Return the window that `--since`, or `--start-date` and `--end-date`, name; the last day by default.

    :raises CommsArgumentError: they cannot be right.
    """
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

"""A report from the first request to the last file: the same for Airflow and the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.timestamps import format_utc
from airflow_provider_comms.reports import words
from airflow_provider_comms.reports.page import render
from airflow_provider_comms.reports.publish import publish
from airflow_provider_comms.reports.report import PROGRESS_INTERVAL, collect
from airflow_provider_comms.reports.spool import DailySpool, Spool, check_whole_days
from airflow_provider_comms.reports.summary import Summaries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from airflow_provider_comms.reports.publish import Place
    from airflow_provider_comms.reports.report import Client, OnProgress, ReportSpec
    from airflow_provider_comms.xcoms import ReportFile, ReportXCom


MAX_JSON = 3900
"""Bytes that a report may have as JSON."""


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """
    Where the files of a report go; paths are local Paths or of an object store.

    :param folder: for rows; None for no rows.
    :param name: of the files of rows, without the format's ending.
    :param formats: of the rows.
    :param is_daily: one file per resource and day.
    :param html: the page's place; None for no page.
    """

    folder: Place | None = None
    name: str = "operations"
    formats: Sequence[str] = ()
    is_daily: bool = False
    html: Place | None = None

    def check(self, spec: ReportSpec) -> None:
        """
        Refuse what would replace a day's file by a part of it.

        :raises CommsArgumentError: the window cuts a day, or only one status is listed.
        """
        if not self.is_daily:
            return
        check_whole_days(spec.window)
        if spec.status:
            raise CommsArgumentError(
                f"status={spec.status!r} lists a part of each day, and partition_by='day' replaces whole days.",
                advice="Omit one of the two.",
            )

    def spool(self, local: Path, spec: ReportSpec, now: datetime) -> Spool | None:
        """Return what takes the rows; None for no rows."""
        if self.folder is None or not self.formats:
            return None
        if self.is_daily:
            return DailySpool(local, self.formats, spec.resources, spec.window, now)
        return Spool(local, self.formats, self.name)


@dataclass(frozen=True, slots=True)
class Report:
    """
    A finished report.

    :param files: `{"uri", "rows", "bytes", "sha256"}` by format, and of the page as "html".
    """

    summaries: Summaries
    files: dict[str, ReportFile] = field(default_factory=dict)

    def as_json(self) -> ReportXCom:
        """
        Return the report as plain JSON of less than 4 kB.

        :return: `{"window", "as_of", "operations", "emails", "messages", "complete", "notes", "violations", "files",
            "summary"}`; under each resource's name `{"operations", "by_status", "stats", "figures", "rates"}`. Where
            names and numbers are so long that it would be more, `stats` are empty.
        """
        window, summaries = self.summaries.window, self.summaries
        report: dict[str, Any] = {
            "window": {
                "start": format_utc(window.start),
                "end": format_utc(window.end),
                "timezone": window.timezone,
            },
            "as_of": format_utc(summaries.as_of),
            "operations": summaries.operations,
            **{resource.value: summary.as_json() for resource, summary in summaries.of.items()},
            "complete": not summaries.notes,
            "notes": summaries.notes,
            "violations": summaries.broken,
            "files": self.files,
            "summary": {"text": words.text(summaries), "markdown": words.markdown(summaries)},
        }
        if len(json.dumps(report)) > MAX_JSON:  # Absurd names and numbers; the page has them.
            for resource in summaries.of:
                report[resource.value]["stats"] = {}
        return cast("ReportXCom", report)


def produce(
    client: Client,
    spec: ReportSpec,
    outputs: Outputs,
    *,
    account: str,
    now: datetime,
    judge: Callable[[Summaries], list[str]] = lambda _: [],
    check: Callable[[Summaries], None] = lambda _: None,
    on_progress: OnProgress = lambda _: None,
    progress_interval: float = PROGRESS_INTERVAL,
) -> Report:
    """
    List a window once, sum it up, and publish rows and page: rows first, each file whole.

    :param account: who is asked, for people.
    :param now: when the listing begins; aware.
    :param judge: returns the thresholds that the sums break.
    :param check: raises where nothing is to be published.
    :param on_progress: see `collect`.
    :param progress_interval: likewise.
    :raises CommsArgumentError: the files asked for cannot be made of this window.
    :raises CommsError: of the listing; nothing is published then.
    :raises OSError: or what the store's library raises; what was there before is still there.
    """
    outputs.check(spec)
    with TemporaryDirectory(prefix="comms-report-") as local:
        spool = outputs.spool(Path(local), spec, now)
        try:
            sums = collect(client, spec, spool, on_progress, progress_interval)
            summaries = Summaries(spec.window, account, now, sums, words.notes_on(spec.window, sums, now))
            summaries.broken = judge(summaries)
            check(summaries)
            files = spool.publish(outputs.folder) if spool and outputs.folder is not None else {}
        finally:
            if spool:
                spool.discard()
        if outputs.html is not None:
            page = Path(local) / "report.html"
            page.write_text(render(summaries, files), encoding="utf-8")
            files["html"] = publish(page, outputs.html)
    return Report(summaries, files)

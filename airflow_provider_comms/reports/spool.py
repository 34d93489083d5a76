"""The rows of a report on local disk: a file per format, or one per format, resource and day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.reports.publish import exists, publish, uri_of
from airflow_provider_comms.reports.window import Buckets, kept_since
from airflow_provider_comms.reports.writers import open_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.comms.resource import Resource
    from airflow_provider_comms.reports.publish import Place
    from airflow_provider_comms.reports.rows import Row
    from airflow_provider_comms.reports.window import Window
    from airflow_provider_comms.reports.writers import Writer
    from airflow_provider_comms.xcoms import ReportFile


@dataclass
class RowFile:
    """
    A local file of rows.

    :param place: where it belongs below the output folder.
    :param form: its format.
    :param is_complete: whether Twilio still keeps all that belongs in it.
    """

    place: str
    form: str
    path: Path
    writer: Writer
    rows: int = 0
    is_complete: bool = True


class Spool:
    """
    Takes rows, and publishes their files when all are there.

    :param folder: local, for the files while they are written.
    :param formats: some of `rows.FORMATS`.
    :param name: of the files, without the format's ending.
    """

    def __init__(self, folder: Path, formats: Sequence[str], name: str) -> None:
        self._folder = folder
        self._formats = formats
        self._name = name
        self._files: dict[str, list[RowFile]] = {}

    def add(self, operation: Operation, row: Row) -> None:
        """Write a row into the file of each format."""
        for file in self._files_in(self._part_of(operation)):
            file.writer.write(row)
            file.rows += 1

    def publish(self, output: Place) -> dict[str, ReportFile]:
        """
        Close all files and put each in its place, whole.

        :param output: the folder they belong in; a local Path, or a path of an object store.
        :return: `{"uri", "rows", "bytes", "sha256"}` by format.
        """
        files = self._files_in("")  # Where there was no row, they are opened here.
        self._close()
        return {file.form: {**publish(file.path, output / file.place), "rows": file.rows} for file in files}

    def discard(self) -> None:
        """Close all files, in whatever state they are: they will not be read."""
        for file in self._all():
            try:
                file.writer.close()
            except (OSError, ValueError):  # A full disk; or closed already.
                continue

    def _part_of(self, operation: Operation) -> str:  # noqa: ARG002
        return ""

    def _files_in(self, part: str) -> list[RowFile]:
        files = self._files.get(part)
        if files is None:
            files = self._files[part] = [self._open(part, form) for form in self._formats]
        return files

    def _open(self, part: str, form: str) -> RowFile:
        path = self._folder / f"{len(self._files)}.{form}"
        return RowFile(f"{part}{self._name}.{form}", form, path, open_writer(path, form))

    def _all(self) -> Iterable[RowFile]:
        return [file for files in self._files.values() for file in files]

    def _close(self) -> None:
        for file in self._all():
            file.writer.close()


class DailySpool(Spool):
    """
    Takes rows into a file per resource and day, `<resource>/date=2026-11-20/operations.<format>`.

    :param resources: of which each day gets a file, though it be empty.
    :param window: whole days.
    :param now: when the listing began: days that Twilio no longer keeps completely never replace what is there.
    :raises CommsArgumentError: the window cuts a day in two.
    """

    def __init__(
        self, folder: Path, formats: Sequence[str], resources: Iterable[Resource], window: Window, now: datetime
    ) -> None:
        super().__init__(folder, formats, "operations")
        check_whole_days(window)
        self._days = Buckets("days", window.days())
        self._labels = self._days.labels()
        self._kept = [day >= kept_since(now) for day in self._days.beginnings]
        for resource in resources:
            for number, day in enumerate(self._days.beginnings):
                if self._kept[number] and day <= now:
                    self._files_in(self._part(resource, number))

    def publish(self, output: Place) -> dict[str, ReportFile]:
        """
        Close all files and put each in its place, whole.

        :return: `{"uri", "rows", "bytes", "files"}` by format; the folder's URI, and sums.
        """
        self._close()
        published: dict[str, ReportFile] = {
            form: {"uri": uri_of(output), "rows": 0, "bytes": 0, "files": 0} for form in self._formats
        }
        for file in self._all():
            place = output / file.place
            if file.is_complete or not exists(place):
                sums = published[file.form]
                sums["rows"] += file.rows
                sums["bytes"] += publish(file.path, place)["bytes"]
                sums["files"] += 1
        return published

    def _part_of(self, operation: Operation) -> str:
        return self._part(operation.resource, self._days.index(operation.created_at))

    def _part(self, resource: Resource, number: int) -> str:
        return f"{resource}/date={self._labels[number]}/"

    def _open(self, part: str, form: str) -> RowFile:
        file = super()._open(part, form)
        file.is_complete = any(
            kept and f"date={label}/" in part for kept, label in zip(self._kept, self._labels, strict=True)
        )
        return file


def check_whole_days(window: Window) -> None:
    """
    Refuse a window that would replace a day's file by a part of it.

    :raises CommsArgumentError: it begins or ends within a day of its time zone.
    """
    if not window.is_whole_days:
        raise CommsArgumentError(
            f"The window {window} cuts a day in two, and partition_by='day' replaces whole days.",
            advice=f"Start and end it at midnight in {window.timezone}, or set the timezone of its days.",
        )

"""Rows, written to a local file as they come: JSON Lines, CSV or Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import IO, TYPE_CHECKING, Protocol

from airflow_provider_comms.comms.timestamps import format_utc
from airflow_provider_comms.reports.rows import COLUMNS, MOMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from airflow_provider_comms.reports.rows import Row

_encode = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make an encoder for each row.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Writer(Protocol):
    """What takes rows and has them all in its file when it is closed."""

    def write(self, row: Row) -> None:
        """Take a row."""

    def close(self) -> None:
        """Write what is left."""


def open_writer(path: Path, form: str) -> Writer:
    """
    Open a local file for rows.

    :param form: one of FORMATS.
    """
    if form == "parquet":
        # pyarrow takes 150 ms to import, and need not be installed.
        from airflow_provider_comms.reports.parquet import ParquetWriter  # noqa: PLC0415

        return ParquetWriter(path)
    file = _open_text(path, compressed=form.endswith(".gz"))
    return _JsonLines(file) if form.startswith("jsonl") else _Csv(file)


class _JsonLines:
    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, row: Row) -> None:
        self._file.write(_encode(_with_texts(row)) + "\n")

    def close(self) -> None:
        self._file.close()


class _Csv:
    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, row: Row) -> None:
        self._writer.writerow(map(csv_cell, _with_texts(row).values()))

    def close(self) -> None:
        self._file.close()


def csv_cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_csv(rows: Iterable[Mapping[str, object]], file: IO[str]) -> None:
    """Write rows that all have the same keys, with a header; nothing where there are none."""
    writer = csv.writer(file, lineterminator="\n")
    for number, row in enumerate(rows):
        if not number:
            writer.writerow(row)
        writer.writerow(map(csv_cell, row.values()))


def _with_texts(row: Row) -> Row:
    return row | {name: format_utc(row[name]) for name in MOMENTS}


def _open_text(path: Path, *, compressed: bool) -> IO[str]:
    if compressed:
        return io.TextIOWrapper(_Gzip(path), encoding="utf-8", newline="")
    return path.open("w", encoding="utf-8", newline="")


class _Gzip(gzip.GzipFile):
    """Closes the file under it as well, so that a full disk is noticed; has neither name nor time in its header."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        super().__init__(filename="", mode="wb", compresslevel=6, fileobj=self._file, mtime=0)

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._file.close()

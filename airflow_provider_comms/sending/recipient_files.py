"""Recipients in a file: CSV or JSON Lines, plain or gzipped, read a row at a time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from contextlib import ExitStack
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

SUFFIXES = (".csv", ".jsonl", ".ndjson")
_GZIP = ".gz"
_ADDRESS_COLUMNS = ("address", "profileId")


def is_recipient_file(name: str) -> bool:
    """Whether a name is that of a file which :func:`read_rows` reads; an address never is."""
    return name.lower().removesuffix(_GZIP).endswith(SUFFIXES)


def read_rows(name: str, open_file: Callable[[], BinaryIO]) -> Iterator[object]:
    """
    Read a file of recipients, one row at a time.

    :param name: of the file; its suffix says what it holds.
    :param open_file: opens it for reading bytes.
    :return: rows, as `recipients.read_recipients` takes them. Blank lines are left out.
    :raises CommsArgumentError: it cannot be read; names the row, never what stands there.
    """
    with ExitStack() as stack:
        raw: BinaryIO | gzip.GzipFile = stack.enter_context(open_file())
        if name.lower().endswith(_GZIP):
            raw = stack.enter_context(gzip.open(raw))
        text = stack.enter_context(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))
        is_csv = name.lower().removesuffix(_GZIP).endswith(".csv")
        try:
            yield from (_csv_rows if is_csv else _json_rows)(text)
        except UnicodeDecodeError:
            # Without its cause, which shows the bytes.
            raise CommsArgumentError("The file of recipients is not in UTF-8.", advice="Convert it.") from None
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise CommsArgumentError("The gzipped file of recipients is damaged or cut off.", advice="") from None


def _csv_rows(text: io.TextIOWrapper) -> Iterator[dict[str, str]]:
    reader = csv.reader(text, strict=True)
    try:
        header = [_column(name) for name in next(reader, [])]
        _check_header(header)
        for cells in filter(None, reader):
            if len(cells) != len(header):
                raise CommsArgumentError(
                    f"Line {reader.line_num:,} of the file of recipients has {len(cells)} cells; the first line has "
                    f"{len(header)}.",
                    advice="Quote cells that hold commas.",
                )
            yield dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise CommsArgumentError(
            f"Line {reader.line_num:,} of the file of recipients is not CSV: {error}.", advice="Export it again."
        ) from None


def _column(name: str) -> str:
    """Return a column's name; the case counts in the name of a variable only."""
    name = name.strip()
    return "address" if name.lower() == "address" else name


def _check_header(header: list[str]) -> None:
    if header and not any(name in header for name in _ADDRESS_COLUMNS):
        # Its names are not shown: without a header they are a recipient.
        raise CommsArgumentError(
            'The file of recipients has no column "address".',
            advice='Let its first line name the columns, that of the e-mails or numbers "address"; separate them by '
            "commas.",
        )
    if "" in header:
        raise CommsArgumentError(
            "The file of recipients has a column without a name.",
            advice="Name it, or delete it: a comma at the end of the first line makes one.",
        )
    if len(set(header)) != len(header):
        raise CommsArgumentError("The file of recipients names a column twice.", advice="Rename one of them.")


def _json_rows(text: io.TextIOWrapper) -> Iterator[object]:
    for line, row in enumerate(text, 1):
        if row.strip():
            yield _decoded(line, row)


def _decoded(line: int, row: str) -> object:
    try:
        return json.loads(row)
    except (ValueError, RecursionError):
        raise CommsArgumentError(
            f"Line {line:,} of the file of recipients is not JSON.", advice="Write one JSON object per line."
        ) from None

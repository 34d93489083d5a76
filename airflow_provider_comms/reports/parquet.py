"""Rows as Parquet. The one module that imports pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from airflow_provider_comms.reports.rows import COLUMNS, COUNTERS, DERIVED, MOMENTS, OTHER_COUNTERS, TEXTS

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_comms.reports.rows import Row

_TYPES = {
    **dict.fromkeys((*TEXTS, OTHER_COUNTERS), pa.string()),
    **dict.fromkeys(MOMENTS, pa.timestamp("us", tz="UTC")),
    **dict.fromkeys((*COUNTERS, *DERIVED), pa.int64()),
}
SCHEMA = pa.schema([(name, _TYPES[name]) for name in COLUMNS])
"""The same for every file, whatever the operations report."""
_GROUP = 50_000
"""Rows of a row group; some 10 MB while they wait."""
_BATCH = 2_000
"""Rows that wait as Python's objects."""


class ParquetWriter:
    """Writes row groups, so that memory stays level."""

    def __init__(self, path: Path) -> None:
        self._writer = parquet.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=["resource", "status"])
        self._rows: list[Row] = []
        self._batches: list[pa.RecordBatch] = []

    def write(self, row: Row) -> None:
        """Take a row."""
        self._rows.append(row)
        if len(self._rows) == _BATCH:
            self._pack()

    def close(self) -> None:
        """Write what is left, and the file's end."""
        self._pack()
        self._write_group()
        self._writer.close()

    def _pack(self) -> None:
        if self._rows:
            self._batches.append(pa.RecordBatch.from_pylist(self._rows, schema=SCHEMA))
            self._rows = []
        if sum(batch.num_rows for batch in self._batches) >= _GROUP:
            self._write_group()

    def _write_group(self) -> None:
        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches, schema=SCHEMA))
            self._batches = []

"""Rows of a report, in every format."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import duckdb
import pytest
from pyarrow import parquet

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.reports.rows import COLUMNS, FORMATS, check_formats, format_of, row_of
from airflow_provider_comms.reports.writers import csv_cell, open_writer
from tests.unit.reports.operations import message, operation, parts

OPERATIONS = [
    operation(1, total=3, recipients=3, delivered=1, opened=2),
    message(2, status="=1+1", total=2, recipients=2, unaddressable=1, delivered=1, bounced=7),
    operation(3, total=10**30, recipients=5, delivered=5),
]


def written(tmp_path, form, operations=OPERATIONS) -> Path:
    path = tmp_path / f"rows.{form}"
    writer = open_writer(path, form)
    for one in operations:
        writer.write(row_of(*parts(one)))
    writer.close()
    return path


def read(path, form):
    if form == "parquet":
        return parquet.read_table(path).to_pylist()
    opened = gzip.open if form.endswith(".gz") else open
    with opened(path, "rt", newline="") as file:
        return list(map(json.loads, file)) if form.startswith("jsonl") else list(csv.DictReader(file))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_the_same_rows_and_columns(tmp_path, form):
    rows = read(written(tmp_path, form), form)

    assert [list(row) for row in rows] == [list(COLUMNS)] * 3
    assert [int(row["reached"]) for row in rows] == [3, 1, 5]
    assert [row["opened"] or None for row in rows] == [rows[0]["opened"], None, None]
    assert int(rows[0]["opened"]) == 2
    assert json.loads(rows[1]["other_counters"]) == {"bounced": 7}
    assert json.loads(rows[2]["other_counters"]) == {"total": 10**30}  # More than a column can hold.


@pytest.mark.parametrize("form", FORMATS)
def test_no_rows_are_a_readable_file_with_its_columns(tmp_path, form):
    path = written(tmp_path, form, [])

    assert read(path, form) == []
    if not form.startswith("jsonl"):
        assert duckdb.sql(f"from '{path}'").columns == list(COLUMNS)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_rows_make_the_same_file(tmp_path, form):
    first = written(tmp_path, form).read_bytes()

    assert written(tmp_path, form).read_bytes() == first


@pytest.mark.parametrize("form", FORMATS)
def test_a_disk_that_is_full_is_an_error(form):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("Linux's alone")
    with pytest.raises(OSError, match="No space left"):  # noqa: PT012
        writer = open_writer(full, form)
        writer.write(row_of(*parts(OPERATIONS[0])))
        writer.close()


def test_parquet_is_read_in_groups(tmp_path):
    path = written(tmp_path, "parquet", [operation(n) for n in range(4_500)])

    assert parquet.read_metadata(path).num_rows == 4_500
    assert str(parquet.read_schema(path).field("created_at").type) == "timestamp[us, tz=UTC]"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text):
    assert csv_cell(text) == f"'{text}"


def test_other_cells_stay_as_they_are():
    assert [csv_cell(one) for one in ("COMPLETED", -5, None, "")] == ["COMPLETED", -5, None, ""]


def test_formats_are_checked():
    assert check_formats("csv") == ("csv",)
    assert check_formats(["jsonl", "csv", "jsonl"]) == ("jsonl", "csv")
    assert check_formats([]) == ()
    for wrong in ("xlsx", ["jsonl", "xml"], 5, None):
        with pytest.raises(CommsArgumentError, match="formats="):
            check_formats(wrong)


def test_the_format_is_that_of_the_name():
    assert format_of("out/Rows.JSONL.gz") == "jsonl.gz"
    with pytest.raises(CommsArgumentError, match="does not end in a known format"):
        format_of("rows.txt")

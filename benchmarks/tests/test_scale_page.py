"""The tables of docs/scale.md are those of the model. `python -m benchmarks.scale.page` writes them."""

from __future__ import annotations

from benchmarks.scale.page import PAGE, with_tables


def test_the_tables_are_those_of_the_model():
    assert with_tables(PAGE.read_text()) == PAGE.read_text(), "write them again: python -m benchmarks.scale.page"

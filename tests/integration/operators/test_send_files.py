"""What a send reads on its worker."""

from __future__ import annotations

import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.tasks.send_files import attachments_of, line_of, rows_of, text_of


def test_a_text_may_name_several():
    assert list(rows_of("jo@example.com, kim@example.com,")) == ["jo@example.com", "kim@example.com"]
    assert list(rows_of("")) == []
    assert list(rows_of(["jo@example.com", ["kim@example.com"]])) == ["jo@example.com", "kim@example.com"]


@pytest.mark.parametrize("form", [str, lambda path: path, lambda path: {"path": path}, lambda path: [path]])
def test_one_attachment_need_not_be_a_list(tmp_path, form):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x")

    assert [(one["filename"], one["content"]) for one in attachments_of(form(path))] == [("a.pdf", b"x")]


def test_a_subject_has_no_line_break_of_its_file(tmp_path):
    path = tmp_path / "subject.txt"
    path.write_text("Hello {{ name }}\r\n")

    assert line_of(path) == "Hello {{ name }}"
    assert line_of("Hello\n") == "Hello\n"
    assert line_of(None) is None


@pytest.mark.parametrize("given", [5, [5], {"path": 5}])
def test_what_is_no_attachment_is_refused(given):
    with pytest.raises(CommsArgumentError, match="attachments= holds a int"):
        attachments_of(given if isinstance(given, list) else [given])


def test_an_attachment_that_is_too_large_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(100_000_000)

    with pytest.raises(CommsArgumentError, match=r"'large\.bin' is larger than the 5 MB"):
        attachments_of(path)


def test_no_attachment():
    assert attachments_of(None) == []


def test_a_text_in_another_encoding_is_refused_without_showing_it(tmp_path):
    path = tmp_path / "news.html"
    path.write_bytes("Grüße".encode("latin-1"))

    with pytest.raises(CommsArgumentError, match=r"'news\.html' is not in UTF-8") as refused:
        text_of(path)
    assert refused.value.__suppress_context__

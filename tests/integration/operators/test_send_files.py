"""What a send reads on its worker."""

from __future__ import annotations

import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.tasks.send_files import attachments_of, rows_of, text_of


def test_a_text_may_name_several():
    assert list(rows_of("jo@example.com, kim@example.com,")) == ["jo@example.com", "kim@example.com"]
    assert list(rows_of("")) == []
    assert list(rows_of(["jo@example.com", ["kim@example.com"]])) == ["jo@example.com", "kim@example.com"]


@pytest.mark.parametrize("form", [str, lambda path: path, lambda path: {"path": path}, lambda path: [path]])
def test_one_attachment_need_not_be_a_list(tmp_path, form):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x")

    assert [(one["filename"], one["content"]) for one in attachments_of(form(path))] == [("a.pdf", b"x")]


def test_no_attachment():
    assert attachments_of(None) == []


def test_a_text_in_another_encoding_is_refused_without_showing_it(tmp_path):
    path = tmp_path / "news.html"
    path.write_bytes("Grüße".encode("latin-1"))

    with pytest.raises(CommsArgumentError, match=r"'news\.html' is not in UTF-8") as refused:
        text_of(path)
    assert refused.value.__suppress_context__

"""Files come into their places whole or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap

import fsspec
import pytest

from airflow_provider_comms.reports.publish import exists, publish, uri_of


class Stored:
    """A place in an object store."""

    protocol = "memory"

    def __init__(self, path, fs=None):
        self.path = path
        self.fs = fs or fsspec.filesystem("memory")


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "spooled"
    file.write_bytes(b"new rows")
    return file


def test_a_file_is_put_in_place_with_its_size_and_digest(file, tmp_path):
    place = tmp_path / "new" / "folder" / "rows.jsonl"

    published = publish(file, place)

    assert place.read_bytes() == b"new rows"
    assert published == {"uri": place.as_uri(), "bytes": 8, "sha256": hashlib.sha256(b"new rows").hexdigest()}
    assert list(place.parent.iterdir()) == [place]


def test_it_may_be_read_by_whom_the_umask_lets(file, tmp_path):
    published = tmp_path / "rows"
    publish(file, published)
    (tmp_path / "usual").write_text("")

    assert published.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_it_replaces_what_was_there(file, tmp_path):
    place = tmp_path / "rows"
    place.write_bytes(b"old rows, and more of them")

    publish(file, place)

    assert place.read_bytes() == b"new rows"


def test_a_failure_leaves_the_old_file_and_nothing_else(file, tmp_path):
    folder = tmp_path / "out"
    (folder / "rows").mkdir(parents=True)  # A folder is where the file belongs.

    with pytest.raises(OSError):
        publish(file, folder / "rows")

    assert list(folder.iterdir()) == [folder / "rows"]


def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path):
    place = tmp_path / "rows.jsonl"
    place.write_bytes(b"old")
    os.mkfifo(tmp_path / "pipe")
    # The copy hangs in the middle of a source that never ends, and its process is killed there.
    program = """
        import sys
        from pathlib import Path
        from airflow_provider_comms.reports.publish import publish
        publish(Path(sys.argv[1]), Path(sys.argv[2]))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program), tmp_path / "pipe", place])
    with (tmp_path / "pipe").open("wb") as pipe:
        pipe.write(b"x" * 3_000_000)
        pipe.flush()
        assert any(path.name.endswith(".part") for path in tmp_path.iterdir())
        process.kill()
        process.wait()

    assert place.read_bytes() == b"old"
    assert list(tmp_path.glob("*.jsonl")) == [place]


def test_an_object_store_gets_one_upload(file):
    target = Stored("/bucket/rows.jsonl")

    published = publish(file, target)

    assert target.fs.cat("/bucket/rows.jsonl") == b"new rows"
    assert published["uri"] == "memory://bucket/rows.jsonl"
    assert exists(target)
    assert not exists(Stored("/bucket/none"))


def test_a_uri_names_no_connection(tmp_path):
    assert uri_of(Stored("bucket/rows")) == "memory://bucket/rows"
    assert uri_of(tmp_path) == tmp_path.as_uri()

"""Files are written to local disk and then published whole: a reader of the target sees the old or the new one."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

if TYPE_CHECKING:
    from airflow_provider_comms.xcoms import ReportFile

_LOCAL = ("", "file", "local")
_BLOCK = 2**20


class Target(Protocol):
    """A file's place, as Airflow's ObjectStoragePath and universal_pathlib's UPath have it."""

    @property
    def protocol(self) -> str:
        """Scheme, such as "s3" or "file"."""

    @property
    def path(self) -> str:
        """Path in its file system."""

    @property
    def fs(self) -> Any:
        """An fsspec file system."""

    def __truediv__(self, name: str, /) -> Self:
        """Return the place of a file in this folder."""


Place = Target | Path


def publish(file: Path, target: Place) -> ReportFile:
    """
    Put a finished local file in its place, in one step.

    On a local disk: a copy beside the place, then a rename over it. In an object store: one upload, which the store
    shows when it is complete.

    :param target: where it belongs; a file that is there is replaced.
    :return: `{"uri", "bytes", "sha256"}`.
    :raises OSError: or what the store's library raises; the file that was there before is still there.
    """
    if (place := _local(target)) is not None:
        digest = _replace(file, place)
    else:
        digest = _digest(file)
        store = cast("Target", target)
        store.fs.put_file(str(file), store.path)
    return {"uri": uri_of(target), "bytes": file.stat().st_size, "sha256": digest}


def uri_of(target: Place) -> str:
    """Return where a file is, without the id of a connection that its path may name."""
    if (place := _local(target)) is not None:
        return place.absolute().as_uri()
    store = cast("Target", target)
    return f"{store.protocol}://{store.path.removeprefix('/')}"


def exists(target: Place) -> bool:
    """Whether a file is there."""
    if (place := _local(target)) is not None:
        return place.exists()
    store = cast("Target", target)
    return bool(store.fs.exists(store.path))


def _local(target: Place) -> Path | None:
    """Return the place on the local disk; None for an object store, whose paths are Paths too with Airflow 2.11."""
    protocol = getattr(target, "protocol", None)
    if protocol is None:
        return Path(str(target))
    return Path(cast("Target", target).path) if protocol in _LOCAL else None


def _replace(file: Path, place: Path) -> str:
    place.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own for each writer: two of them, one taken for dead, must not write into one file.
    beside = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    digest = hashlib.sha256()
    try:
        with beside.open("xb") as copy, file.open("rb") as source:
            while block := source.read(_BLOCK):
                digest.update(block)
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        beside.replace(place)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    return digest.hexdigest()


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()

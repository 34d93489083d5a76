"""What a send reads on its worker: files of recipients, texts, attachments; local ones, or of an object store."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.exceptions import CommsFileNotFoundError
from airflow_provider_comms.sending.chunks import MAX_BODY
from airflow_provider_comms.sending.recipient_files import is_recipient_file, read_rows
from airflow_provider_comms.tasks.unshown import is_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

T = TypeVar("T")
_SPELLINGS = {"content_type": "contentType", "file_name": "filename"}


def names_recipient_file(to: object) -> bool:
    """Whether the argument `to` is a file of recipients, as a path or its name."""
    return is_path(to) or (isinstance(to, str) and is_recipient_file(to))


def rows_of(to: object) -> Iterator[object]:
    """
    Return the rows that the argument `to` names, one at a time.

    :param to: an address, or several separated by commas; a recipient as a mapping; several of these; or a file of
        them, as a path or its name.
    """
    if names_recipient_file(to):
        yield from read_rows(str(to), lambda: _open(to))
    elif isinstance(to, str):
        yield from filter(None, map(str.strip, to.split(",")))
    elif isinstance(to, Mapping) or not isinstance(to, Iterable):
        yield to
    else:
        for one in to:
            # What mapped tasks returned may be lists.
            yield from one if isinstance(one, (list, tuple)) else (one,)


def text_of(given: T) -> T | str:
    """
    Return a text, or what the file holds in which it stands.

    :raises CommsArgumentError: the file is not in UTF-8.
    """
    if not is_path(given):
        return given
    with _open(given) as file:
        content = file.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Without its cause, which shows the bytes.
        raise CommsArgumentError(f"{Path(str(given)).name!r} is not in UTF-8.", advice="Convert it.") from None


def line_of(given: T) -> T | str:
    """Return a text as :func:`text_of` does, of a file without the line break at its end, which no subject has."""
    text = text_of(given)
    return text.rstrip("\r\n") if is_path(given) and isinstance(text, str) else text


def attachments_of(given: object) -> list[dict[str, object]]:
    """Return attachments as the API takes them: of none, one or several."""
    if isinstance(given, (str, Mapping)) or is_path(given) or not isinstance(given, Iterable):
        given = () if given is None else (given,)
    return [attachment_of(one) for one in given]


def attachment_of(given: object) -> dict[str, object]:
    """
    Return an attachment as the API takes it, its content as bytes.

    :param given: a path or its name; or a mapping with `path` or `content`, `filename`, `content_type`, `cid`.
    :raises CommsArgumentError: it is neither, or larger than an e-mail may be.
    """
    source = dict(given) if isinstance(given, Mapping) else {"path": given}
    fields = {_SPELLINGS.get(name, name): value for name, value in source.items()}
    if "path" in fields:
        path = fields.pop("path")
        if not (isinstance(path, str) or is_path(path)):
            raise CommsArgumentError(
                f"attachments= holds a {type(path).__name__}.",
                advice='Give a path, or {"filename": ..., "content": bytes}.',
            )
        fields = {"filename": Path(str(path)).name, "content": _read(path), **fields}
    fields.setdefault("contentType", mimetypes.guess_type(str(fields.get("filename")))[0] or "application/octet-stream")
    return fields


def _read(path: object) -> bytes:
    with _open(path) as file:
        content = file.read(MAX_BODY)
    if len(content) == MAX_BODY:
        raise CommsArgumentError(
            f"The attachment {Path(str(path)).name!r} is larger than the 5 MB that Twilio takes in all.",
            advice="Link to it instead.",
        )
    return content


def _open(path: object) -> BinaryIO:
    try:
        return _opened(path)
    except FileNotFoundError:
        raise CommsFileNotFoundError(
            f"There is no file {str(path)!r} that this worker can see. Nothing was sent in this try.\n"
            "  to do: Check the path, and that each worker has it; let the task that writes it run before this one."
        ) from None


def _opened(path: object) -> BinaryIO:
    if isinstance(path, Path):
        return path.open("rb")
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    storage: Any = path if hasattr(path, "fs") else ObjectStoragePath(str(path))
    # Not its own `open`, which wraps each read; and `fs` is the same in every version.
    file: BinaryIO = storage.fs.open(storage.path, "rb")
    return file

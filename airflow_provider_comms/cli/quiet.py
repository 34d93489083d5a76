"""Airflow talks while it starts, some versions on standard output; that belongs to a command's result."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDOUT, _STDERR = 1, 2
_DEPRECATION = re.compile(rb"\w+Warning\b")


@contextmanager
def held_back() -> Iterator[None]:
    """
    Keep what is written to standard output and standard error; let it out, on the latter, if the block fails.

    The descriptors themselves are switched, for Airflow's loggers hold on to the streams that they began with.
    """
    with tempfile.TemporaryFile() as kept:
        try:
            with _switched(kept.fileno()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                logging.disable(logging.INFO)
                yield
        except Exception:
            kept.seek(0)
            os.write(_STDERR, b"".join(line for line in kept if not _DEPRECATION.search(line)))
            raise
        finally:
            logging.disable(logging.NOTSET)


@contextmanager
def _switched(target: int) -> Iterator[None]:
    _flush()
    saved = [(stream, os.dup(stream)) for stream in (_STDOUT, _STDERR)]
    try:
        for stream, _ in saved:
            os.dup2(target, stream)
        yield
    finally:
        _flush()
        for stream, original in saved:
            os.dup2(original, stream)
            os.close(original)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()

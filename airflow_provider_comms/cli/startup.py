"""What must be in order before a command runs: open descriptors, and a silent start of Airflow."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDOUT, _STDERR = 1, 2
_DEPRECATION = re.compile(rb"\w+Warning\b")


def prepare_standard_streams() -> None:
    """Let no text fail for its characters, and no file or socket take the number of a closed standard stream."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  (for as long as the process lives)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def log_to(handler: logging.Handler, level: int = logging.WARNING) -> None:
    """
    Let the package log through this handler alone: Airflow's own may write to standard output, where a result belongs.

    :param level: what is logged at least.
    """
    log = logging.getLogger("airflow_provider_comms")
    log.handlers = [handler]
    log.setLevel(level)
    log.propagate = False


@contextmanager
def silence_startup_output() -> Iterator[None]:
    """
    Capture what Airflow writes while it starts, some versions to standard output, where a result belongs.

    If the block fails, what was captured goes to standard error. The descriptors themselves are redirected, because
    Airflow's loggers keep the streams that they started with.
    """
    with tempfile.TemporaryFile() as captured:
        try:
            with _redirected(captured.fileno()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                logging.disable(logging.INFO)
                yield
        except Exception:
            captured.seek(0)
            os.write(_STDERR, b"".join(line for line in captured if not _DEPRECATION.search(line)))
            raise
        finally:
            logging.disable(logging.NOTSET)


@contextmanager
def _redirected(target: int) -> Iterator[None]:
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
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()

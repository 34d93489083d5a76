"""Searches all that a trial may have written for what nobody may ever read there."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

PAGE_TOKEN = rb"(?:\+//\+|%2B%2F%2F%2B)[A-Za-z0-9+/%]{16,}(?:==|%3D%3D)"
"""As the simulator writes them, and as they are sent."""
CHUNK = 2**24
OVERLAP = 2**12
"""Bytes of a chunk that are searched again with the next one; no secret is longer."""


def forms(secret: str) -> Iterator[str]:
    """Return the ways in which a secret could be written."""
    yield secret
    yield quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")


def basic(user: str, password: str) -> str:
    """Return what a Basic header says."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


class SecretSearch:
    """
    :param secrets: by what each is called, and may be named in a message of this
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        patterns = {name: "|".join(re.escape(one) for one in forms(secret)) for name, secret in secrets.items()}
        self._patterns = {name: re.compile(pattern.encode()) for name, pattern in patterns.items()}
        self._patterns["page token"] = re.compile(PAGE_TOKEN)

    def in_bytes(self, text: bytes) -> list[str]:
        """Return the names of the secrets that are in a text."""
        return [name for name, pattern in self._patterns.items() if pattern.search(text)]

    def in_files(self, files: Iterable[Path]) -> list[str]:
        """Return what was found in files, each as `<name> in <file>`."""
        return [f"{name} in {file}" for file in files for name in sorted(self._in_file(file))]

    def in_processes(self) -> list[str]:
        """Return what was found in the command lines and the environments of all processes."""
        found = []
        for process in psutil.process_iter():
            try:
                seen = "\0".join([*process.cmdline(), *process.environ().values()]).encode(errors="replace")
                found += [f"{name} in process {process.name()}" for name in self.in_bytes(seen)]
            except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def _in_file(self, file: Path) -> set[str]:
        found: set[str] = set()
        with file.open("rb") as opened:
            before = b""
            while chunk := opened.read(CHUNK):
                found.update(self.in_bytes(before + chunk))
                before = chunk[-OVERLAP:]
        return found

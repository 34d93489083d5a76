"""Which recipients were there before: hashes on the disk, so that memory does not grow with their number."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from typing import Self

_BYTES = 16
"""Of a hash: two of a billion recipients have the same one with a probability of 1 to 10 to the power of 20."""
_CACHE_KIB = 16 * 1024


class Seen:
    """
    Remembers recipients by keyed hashes, in a file that has no name and is gone with the process.

    Use it as `with Seen() as seen:`.
    """

    def __init__(self) -> None:
        # SQLite deletes the file of a database without a name as soon as it has opened it.
        self._database = sqlite3.connect("", isolation_level=None)
        self._key = secrets.token_bytes(32)
        for statement in (
            f"PRAGMA cache_size=-{_CACHE_KIB}",
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "CREATE TABLE seen (identity BLOB PRIMARY KEY) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, identity: str) -> bool:
        """Remember a recipient; return whether it is new."""
        identity_hash = hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=_BYTES, key=self._key)
        done = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (identity_hash.digest(),))
        return done.rowcount == 1

"""The body of a response, inflated as it arrives, and never more of it than a page can have."""

from __future__ import annotations

import zlib

MAX_BODY = 4 * 2**20
"""Bytes of a page, inflated. One of 1,000 operations has about half a million."""
MAX_SMALL_BODY = 64 * 2**10
"""Bytes of an operation, or of an error, inflated. They have about 600."""
CODINGS = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BodyError(ValueError):
    """The body is too long, or is not encoded as its header says."""


class Body:
    """
    Collects chunks as they come from the wire.

    :param limit: bytes that are read, and inflated, at most.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inflater: zlib._Decompress | None = None
        self._parts: list[bytes] = []
        self._received = 0
        self._size = 0

    def expect(self, encoding: str) -> None:
        """
        Take note of how it is encoded.

        :param encoding: the Content-Encoding header.
        :raises BodyError: it is not one that was asked for.
        """
        coding = encoding.strip().lower()
        if coding in CODINGS:
            self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
        elif coding not in ("", "identity"):
            # A stack such as "gzip, gzip" is one of these: each of its layers can grow a thousandfold.
            raise BodyError(f"its Content-Encoding {coding[:50]!r} is not one of {', '.join(CODINGS)}")

    def add(self, chunk: bytes) -> None:
        """
        Take in the next chunk; no more of it is inflated than is allowed.

        :raises BodyError: the body is too long, or is not encoded as it should be.
        """
        self._received += len(chunk)
        part = chunk if self._inflater is None else self._inflate(self._inflater, chunk)
        self._parts.append(part)
        self._size += len(part)
        if max(self._size, self._received) > self._limit:
            raise BodyError(f"its body is longer than {self._limit} bytes; the rest was not read")

    def _inflate(self, inflater: zlib._Decompress, chunk: bytes) -> bytes:
        try:
            return inflater.decompress(chunk, self._limit + 1 - self._size)
        except zlib.error as error:
            raise BodyError(f"its body cannot be inflated ({error})") from None

    def whole(self) -> bytes:
        """
        Return the body.

        :raises BodyError: its end is missing.
        """
        if self._inflater is not None and self._received and not self._inflater.eof:
            raise BodyError("its compressed body is incomplete")
        return self.so_far()

    def so_far(self) -> bytes:
        """Return what could be read of it."""
        return b"".join(self._parts)[: self._limit]

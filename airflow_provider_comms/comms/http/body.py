"""The body of a response, inflated as it arrives, and never more of it than a page can have."""

from __future__ import annotations

import zlib

MAX_BODY = 4 * 2**20
"""Bytes of a body, inflated. A page of 1,000 operations has about half a million."""
CODINGS = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BodyError(ValueError):
    """The body is too long, or is not encoded as its header says."""


class Body:
    """
    Collects chunks as they come from the wire.

    :param encoding: the Content-Encoding header.
    :raises BodyError: here and in each method: see there.
    """

    def __init__(self, encoding: str) -> None:
        self._inflater = _inflater(encoding.strip().lower())
        self._parts: list[bytes] = []
        self._received = 0
        self._size = 0

    def add(self, chunk: bytes) -> None:
        """Take in the next chunk; no more of it is inflated than is allowed."""
        self._received += len(chunk)
        part = chunk if self._inflater is None else self._inflate(self._inflater, chunk)
        self._parts.append(part)
        self._size += len(part)
        if max(self._size, self._received) > MAX_BODY:
            raise BodyError(f"its body is longer than {MAX_BODY} bytes; the rest was not read")

    def _inflate(self, inflater: zlib._Decompress, chunk: bytes) -> bytes:
        try:
            return inflater.decompress(chunk, MAX_BODY + 1 - self._size)
        except zlib.error as error:
            raise BodyError(f"its body cannot be inflated ({error})") from None

    def whole(self) -> bytes:
        """Return the body."""
        if self._inflater is not None and self._received and not self._inflater.eof:
            raise BodyError("its compressed body is incomplete")
        return b"".join(self._parts)


def _inflater(coding: str) -> zlib._Decompress | None:
    if coding in ("", "identity"):
        return None
    if coding in CODINGS:
        return zlib.decompressobj(_GZIP_OR_ZLIB)
    # A stack such as "gzip, gzip" is one of these: each of its layers can grow a thousandfold.
    raise BodyError(f"its Content-Encoding {coding!r} is not one of {', '.join(CODINGS)}")

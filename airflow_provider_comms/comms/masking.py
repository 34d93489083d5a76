"""What of a foreign text may be shown: no secret, no token, no recipient."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HIDDEN = (
    # A Basic or Bearer credential, as an echoing proxy shows it.
    (re.compile(r"(?i)\b(basic|bearer)\s+[\w+/=.~-]{6,}"), r"\1 ***"),
    # user:password@ in a URL.
    (re.compile(r"(?<=://)[^/@\s]+@"), "***@"),
    # Recipients: addresses and telephone numbers.
    (re.compile(r"[\w.+%-]+@[\w.-]+"), "***@***"),
    (re.compile(r"\+\d[\d\s().-]{5,}\d"), "+***"),
    # Auth tokens are 32 hexadecimal digits; a SID or request id has two letters before them and stays.
    (re.compile(r"\b[0-9a-fA-F]{32}\b"), "***"),
    # Page tokens, by their names.
    (re.compile(r"(?i)(\"?(?:page_?token|next|self)\"?\s*[=:]\s*\"?)[^\s\"&,}]+"), r"\1***"),
)


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """
    Return the text without what must not be seen.

    :param text: any text that came from outside.
    :param secrets: values known to be secret, hidden wherever they stand.
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    for pattern, shown in _HIDDEN:
        text = pattern.sub(shown, text)
    return text


def quote(body: bytes, secrets: Iterable[str] = (), length: int = 200) -> str:
    """Return the start of a body that could not be read, on one line, masked."""
    # A little more than is shown is masked, so that a secret cut in two does not slip through.
    start = body[: length * 4].decode("utf-8", "replace")
    printable = "".join(char if char.isprintable() else " " for char in start)
    line = " ".join(mask(printable, secrets).split())
    return line if len(line) <= length else line[:length] + "…"

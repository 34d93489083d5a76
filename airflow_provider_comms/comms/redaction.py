"""What of a foreign text may be shown: no secret, no token, no recipient."""

from __future__ import annotations

import html
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote as percent_encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

# Each pattern takes time linear in the text, whatever the text: it comes from outside.
_HIDDEN = (
    # A Basic or Bearer credential, as an echoing proxy shows it.
    (re.compile(r"(?i)\b(basic|bearer)\s+[\w+/=.~-]{6,}"), r"\1 ***"),
    # user:password@ in a URL.
    (re.compile(r"(?<=://)[^/@\s]+@"), "***@"),
    # Recipients: addresses and telephone numbers, in a URL too.
    (re.compile(r"(?<![\w.+%'-])[\w.+%'-]+(?:@|%40)[\w.+%-]+"), "***@***"),
    (re.compile(r"(?i)(?:\+|%2B)\d[\d\s().-]{5,}\d"), "+***"),
    # Auth tokens are 32 hexadecimal digits; a SID or request id has two letters before them and stays.
    (re.compile(r"\b[0-9a-fA-F]{32}\b"), "***"),
    # Page tokens, by their names; in JSON, in JSON within JSON, in a query.
    (re.compile(r"(?i)((?:page_?token|next|self)[\\\"']*\s*[=:]\s*[\\\"']*)[^\s\"'\\&,}]+"), r"\1***"),
)
_LONGEST_NAMELESS = 64
"""Characters that one of the patterns above may need to be recognized; a shorter rest of it could be shown."""


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """
    Return the text without what must not be seen.

    :param text: any text that came from outside.
    :param secrets: values known to be secret, hidden wherever they stand, however they are spelled.
    """
    for spelled in sorted({form for secret in secrets for form in _spellings(secret)}, key=len, reverse=True):
        text = text.replace(spelled, "***")
    for pattern, shown in _HIDDEN:
        text = pattern.sub(shown, text)
    return text


@lru_cache(maxsize=64)
def _spellings(secret: str) -> tuple[str, ...]:
    """As it is, and as a JSON text, a URL, a page of HTML or one line of a message would hold it."""
    in_json = [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    in_url = [percent_encoded(secret, safe=safe, errors="replace") for safe in ("", "/")]
    with_slashes_escaped = in_json[0].replace("/", r"\/")
    forms = (secret, *in_json, with_slashes_escaped, *in_url, html.escape(secret), _one_line(secret))
    return tuple(filter(None, forms))


def excerpt(foreign: bytes | str, secrets: Iterable[str] = (), length: int = 200) -> str:
    """
    Return the start of a foreign text on one line, masked.

    :param length: characters to show at most.
    """
    secrets = tuple(secrets)
    # More than is shown is masked, and the end of it dropped, so that a secret cut in two does not slip through.
    hold = max([_LONGEST_NAMELESS, *(len(spelled) for secret in secrets for spelled in _spellings(secret))])
    window = length * 4 + hold
    start = foreign[:window]
    line = redact(_one_line(start.decode("utf-8", "replace") if isinstance(start, bytes) else start), secrets)
    is_cut = len(foreign) > window
    if is_cut:
        line = line[:-hold]
    return f"{line[:length]}…" if is_cut or len(line) > length else line


def shown(value: object) -> str:
    """Return the start of a value's repr, masked: what an argument turned out to be, whatever that is."""
    try:
        return excerpt(repr(value))
    except Exception:  # noqa: BLE001  (anybody's __repr__; an int of 5,000 digits is a ValueError)
        return f"<{type(value).__name__}>"


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())

"""Keeps what a request says of people out of the API's texts that may quote it."""

from __future__ import annotations

import html
import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Words = tuple[str, ...]

HIDDEN = "***"
MAX_TEXT = 4000
"""Characters of a text that are gone through; the rest is cut off."""
MAX_WORDS = 8
"""Words in a row that are recognized; of longer values, every so many of them."""
MIN_DIGITS = 7
"""Of a telephone number, without the codes before it."""
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_IMPERSONAL = ("channel", "profileId", "memoryStoreId")


class Scrubber:
    """
    Takes recipients out of texts: their addresses, names and the values of their variables, word by word.

    :param recipients: as the API's JSON has them. The first text that is scrubbed takes some 100 ms for 10,000 of them,
        which only an error costs.
    """

    def __init__(self, recipients: Sequence[Mapping[str, object]]) -> None:
        self._recipients = recipients

    def __call__(self, text: str) -> str:
        """Return the start of the text with everything hidden that is said of a recipient."""
        plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), unquote(html.unescape(text[:MAX_TEXT])))
        return self._without_numbers(self._without_words(plain))

    def _without_words(self, text: str) -> str:
        words = [*_WORD.finditer(text)]
        folded = tuple(word[0].casefold() for word in words)
        shown, position, at = [], 0, 0
        while at < len(words):
            count = self._known_from(folded, at)
            if count:
                shown += [text[position : words[at].start()], HIDDEN]
                position = words[at + count - 1].end()
            at += count or 1
        return "".join([*shown, text[position:]])

    def _known_from(self, words: Words, at: int) -> int:
        """Return how many words from there on stand in a recipient."""
        counts = range(min(MAX_WORDS, len(words) - at), 0, -1)
        return next((count for count in counts if words[at : at + count] in self._phrases), 0)

    def _without_numbers(self, text: str) -> str:
        """Hide telephone numbers, however they are punctuated."""
        return _NUMBER.sub(lambda match: HIDDEN if _ending(match[0]) in self._endings else match[0], text)

    @cached_property
    def _phrases(self) -> set[Words]:
        return {phrase for value in self._values() for phrase in _phrases(value)}

    @cached_property
    def _endings(self) -> set[str]:
        return {ending for value in self._values() if len(ending := _ending(value)) == MIN_DIGITS}

    def _values(self) -> Iterator[str]:
        for recipient in self._recipients:
            yield from _texts(recipient)


def _phrases(value: str) -> Iterator[Words]:
    words = tuple(word.casefold() for word in _WORD.findall(value))
    for at in range(max(1, len(words) - MAX_WORDS + 1)):
        yield words[at : at + MAX_WORDS]


def _ending(text: str) -> str:
    return "".join(filter(str.isdecimal, text))[-MIN_DIGITS:]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in _IMPERSONAL:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)

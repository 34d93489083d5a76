"""Liquid, Twilio's template language, in what is sent: a variable without a default can fail a whole request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OUTPUT = re.compile(r"\{\{-?([^{}]*?)-?\}\}")
_DEFAULT = re.compile(r"\|\s*default\b")
_VARIABLE = re.compile(r"\s*([A-Za-z_][\w.]{0,60})")


def liquid_warnings(content: Mapping[str, object]) -> list[str]:
    """
    Name the variables that have no default.

    :param content: of a request, as the API's JSON has it.
    """
    bare = dict.fromkeys(name for text in _texts(content) for name in _without_default(text))
    if not bare:
        return []
    names = ", ".join(bare)
    said = f"No default for {excerpt(names)}: Twilio may refuse the whole request for one recipient without it."
    advice = "Write {{ name | default: '' }}. This is Liquid, not Jinja: a value of yours goes in as one of `variables`"
    return [f"{said} {advice}."]


def _without_default(text: str) -> Iterator[str]:
    for output in _OUTPUT.findall(text):
        if not _DEFAULT.search(output) and (variable := _VARIABLE.match(output)):
            yield variable[1]


def _texts(value: object) -> Iterator[str]:
    """Return the texts that Twilio reads as templates. An attachment is not one of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != "attachments":
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)

"""Checks of what a caller hands in; each failure names the field at fault."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

Made = TypeVar("Made")
#: The largest number taken, unless a field says otherwise: as seconds, 31 years.
MOST = 1e9


class FieldError(ValueError):
    """
    A value the simulator cannot use.

    :param field: the name of the argument or JSON field.
    :param problem: what is wrong with it and what would be right.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def number(field: str, value: Any, *, least: float = 0.0, most: float = MOST) -> float:
    """Return ``value`` if it is a number within the bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldError(field, f"must be a number, not {_shortened(value)}")
    if not least <= value <= most:  # Neither NaN nor infinity is.
        raise FieldError(field, f"must be within {least:g} and {most:g}, not {_shortened(value)}")
    return value


def whole(field: str, value: Any, *, least: int = 0, most: float = MOST) -> int:
    """Return ``value`` if it is an integer within the bounds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(field, f"must be a whole number, not {_shortened(value)}")
    number(field, value, least=least, most=most)
    return value


def one_of(field: str, value: Any, choices: Collection[str]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise FieldError(field, f"must be one of {', '.join(choices)}, not {value!r}")
    return value


def text(field: str, value: Any) -> str:
    """Return ``value`` if it is a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise FieldError(field, f"must be a text that is not empty, not {value!r}")
    return value


def truth(field: str, value: Any) -> bool:
    """Return ``value`` if it is true or false."""
    if not isinstance(value, bool):
        raise FieldError(field, f"must be true or false, not {value!r}")
    return value


def mapping(field: str, value: Any) -> dict[str, Any]:
    """Return a copy of ``value`` if it is a mapping with texts as keys."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise FieldError(field, f"must be an object with texts as keys, not {value!r}")
    return dict(value)


def texts(field: str, value: Any) -> tuple[str, ...]:
    """Return ``value`` as a tuple if it is a series of texts."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise FieldError(field, f"must be a list of texts, not {value!r}")
    return tuple(text(field, item) for item in value)


def build(kind: type[Made], values: Mapping[str, Any]) -> Made:
    """
    Make a dataclass from named values.

    :raises FieldError: for a name the dataclass does not know, or a value it refuses.
    """
    known = [field.name for field in fields(kind) if field.init]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise FieldError(name, f"unknown field; known are {', '.join(known)}")
    return kind(**values)


def _shortened(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no number of more than 4,300 digits.
        return "a number of thousands of digits"

"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, name: str) -> str:
    """Return a number with what it counts: "1 chunk", "2,500 recipients"."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"

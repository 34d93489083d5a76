"""
Identifiers of operations: a prefix and a ULID in lower-case Crockford base 32.

A ULID is 48 bits of creation time in milliseconds and 80 random bits, so that sorting by ULID sorts by age.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

Resource = Literal["emails", "messages"]
RESOURCES: tuple[Resource, ...] = get_args(Resource)

PREFIX = "comms_operation_"
ULID_BYTES = 16
TIME_BYTES = 6
#: The pattern that Twilio's reference gives for the ids of every resource.
ID_PATTERN = re.compile(r"comms_operation_[0-7][a-hjkmnpqrstv-z0-9]{25,34}")

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_PAIR_SHIFTS = range(120, -1, -10)
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_ENCODED_LENGTH = 26


def make_ulid(created_ms: int, randomness: bytes) -> bytes:
    """The 16 bytes of a ULID from a creation time and 10 random bytes."""
    return created_ms.to_bytes(TIME_BYTES, "big") + randomness


def created_ms_of(ulid: bytes) -> int:
    """The creation time in a ULID (or in anything that begins with one)."""
    return int.from_bytes(ulid[:TIME_BYTES], "big")


def write_id(ulid: bytes) -> str:
    """The operation id that shows a ULID."""
    value = int.from_bytes(ulid, "big")
    return PREFIX + "".join([_PAIRS[(value >> shift) & 1023] for shift in _PAIR_SHIFTS])


def read_id(operation_id: str) -> bytes | None:
    """The ULID in an operation id, or None where there is none."""
    digits = operation_id.removeprefix(PREFIX)
    if len(digits) != _ENCODED_LENGTH or len(digits) == len(operation_id) or digits[0] > "7":
        return None
    value = 0
    for digit in digits:
        if digit not in _VALUES:
            return None
        value = value * 32 + _VALUES[digit]
    return value.to_bytes(ULID_BYTES, "big")

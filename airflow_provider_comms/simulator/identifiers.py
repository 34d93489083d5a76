"""
Identifiers of operations and of what they create: a prefix and a ULID in lower-case Crockford base 32.

A ULID is 48 bits of creation time in milliseconds and 80 random bits, so that sorting by id sorts by age.
"""

from __future__ import annotations

import base64
import re
from typing import Literal, get_args

Resource = Literal["emails", "messages"]
RESOURCES: tuple[Resource, ...] = get_args(Resource)

#: What can be done with a resource: list or fetch operations, send, find what was sent.
Route = Literal["list", "fetch", "send", "find"]
ROUTES: tuple[Route, ...] = get_args(Route)

PREFIX = "comms_operation_"
RANDOM_BYTES = 10
#: The pattern that Twilio's reference gives for the ids of every resource, after their prefix.
ULID = "[0-7][a-hjkmnpqrstv-z0-9]{25,34}"
ID_PATTERN = re.compile(PREFIX + ULID)

_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz")


def make_id(created_ms: int, randomness: bytes, prefix: str = PREFIX) -> str:
    """The id of a creation time and 10 random bytes."""
    # Base 32 goes by groups of 5 bytes: of 4 + 16 bytes, the last 26 of 32 digits are the ULID.
    digits = base64.b32encode(created_ms.to_bytes(10, "big") + randomness)
    return prefix + digits[6:].translate(_CROCKFORD).decode()

"""Who may be sent to: a safety belt for tests and staging."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.sending.recipients import plain_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_comms.sending.recipients import Recipient

_NUMBER = re.compile(r"(?:whatsapp:)?\s*\+[\d\s().\-/*]+", re.IGNORECASE)


class AllowList:
    """
    Addresses that may be sent to; what is not on the list is refused, and an empty list refuses everybody.

    :param allowed: addresses, domains such as "@example.com", or patterns such as "+4930*"; as text, separated by
        commas. A number is allowed on each channel, and may be written as it is in `to`.
    """

    def __init__(self, allowed: Iterable[str] | str) -> None:
        names = allowed.split(",") if isinstance(allowed, str) else allowed
        self._patterns = tuple(_plain(name.strip()) for name in map(_checked, names) if name.strip())

    def __repr__(self) -> str:
        return f"<allow-list of {len(self._patterns)}>"

    def admits(self, recipient: Recipient) -> bool:
        """Whether all addresses of a recipient are on the list. A profile's are not known, and so are not."""
        return bool(recipient.addresses) and all(map(self._has, recipient.addresses))

    def _has(self, address: str) -> bool:
        return any(address.endswith(one) if one.startswith("@") else _matches(address, one) for one in self._patterns)


def _plain(name: str) -> str:
    return (plain_number(name) if _NUMBER.fullmatch(name) else name).lower()


def _matches(address: str, pattern: str) -> bool:
    # An address may hold what means something else in a pattern; only the asterisk does here.
    return fnmatchcase(address, pattern.replace("[", "[[]").replace("?", "[?]"))


def _checked(name: object) -> str:
    if isinstance(name, str):
        return name
    raise CommsArgumentError(
        f"allow_recipients= holds a {type(name).__name__}.", advice='Give addresses, or domains such as "@example.com".'
    )

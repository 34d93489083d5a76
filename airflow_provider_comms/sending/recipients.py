"""Recipients as people write them, in the form of the API: one address or row in, one JSON object out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypeGuard

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.sending.recipient_files import is_recipient_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAMES = {
    Resource.EMAILS: frozenset({"address", "memoryStoreId", "name", "profileId", "variables"}),
    Resource.MESSAGES: frozenset({"address", "addresses", "channel", "memoryStoreId", "profileId", "variables"}),
}
"""Keys of a row that are Twilio's; every other key is a variable."""
_CHANNELS = ("PHONE", "WHATSAPP")
_PUNCTUATION = re.compile(r"[\s().\-/]+")
_WHATSAPP = "whatsapp:"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Recipient:
    """
    Somebody to send to.

    :param row: where it stands in what was given, from 1.
    :param fields: as the API takes it.
    :param addresses: that it may be reached at, in the form in which two are compared; none for a profile.
    :param identity: what makes two of them the same.
    """

    row: int
    fields: Mapping[str, object]
    addresses: tuple[str, ...]
    identity: str

    def __repr__(self) -> str:
        return f"<recipient in row {self.row}>"

    def as_json(self) -> bytes:
        """Return the fields on one line."""
        # Half of a surrogate pair is refused where the request is built, by its row.
        return _ENCODER.encode(self.fields).encode("utf-8", "surrogatepass")


def read_recipients(resource: Resource, rows: Iterable[object], variables: object = None) -> Iterator[Recipient]:
    """
    Read what was given as recipients, one at a time.

    :param rows: an address as text; or a mapping with `address` (or `addresses`, or `profileId` and
        `memoryStoreId`), `name`, `channel`, `variables`; its other keys are variables too.
    :param variables: of every recipient; its own count more.
    :raises CommsArgumentError: one is invalid; names its row, never what stands there.
    """
    common = read_variables(variables or {}, "variables")
    for row, given in enumerate(rows, 1):
        yield _read(resource, row, given, common)


def read_variables(given: object, where: str) -> dict[str, str]:
    """
    Return variables as the API takes them: text to text. Numbers, bools and dates become text, None is left out.

    :raises CommsArgumentError: a value is neither; names the variable, not its value.
    """
    if not _is_mapping(given):
        raise CommsArgumentError(f"{where}: the variables are a {type(given).__name__}, not a mapping.", advice=_FORMS)
    return {
        _variable_name(name, where): _variable(value, str(name), where)
        for name, value in given.items()
        if value is not None
    }


_FORMS = (
    "Give each recipient as an address, or as a mapping such as "
    '{"address": ..., "variables": {"first_name": ...}}; in a file, as a row with a column "address".'
)


def _read(resource: Resource, row: int, given: object, common: Mapping[str, str]) -> Recipient:
    where = f"Recipient in row {row:,}"
    source = {"address": given} if isinstance(given, str) else given
    if not _is_mapping(source):
        raise CommsArgumentError(f"{where} is {_kind(given)}.", advice=_FORMS)
    # Before anything is said of its other keys: what is no recipient may have an address for a key.
    fields, addresses, identity = _address(resource, source, where)
    names = _NAMES[resource]
    others = {key: value for key, value in source.items() if key not in names}
    own = read_variables(source["variables"], where) if source.get("variables") else {}
    if variables := {**common, **(read_variables(others, where) if others else {}), **own}:
        fields = {**fields, "variables": variables}
    return Recipient(row, fields, addresses, identity)


def _kind(value: object) -> str:
    if value is None:
        return "empty"
    return "a number" if isinstance(value, (int, float, Decimal)) else f"a {type(value).__name__}"


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    # Asking an abstract class is slow, and there may be millions to ask for.
    return type(value) is dict or isinstance(value, Mapping)


def _address(
    resource: Resource, source: Mapping[str, object], where: str
) -> tuple[Mapping[str, object], tuple[str, ...], str]:
    """Return the fields that say where a recipient is reached, the addresses among them, and the identity."""
    if source.get("profileId"):
        profile = {name: _text(source, name, where) for name in ("profileId", "memoryStoreId")}
        return profile, (), " ".join(profile.values())
    if resource is Resource.EMAILS:
        address = _address_text(source, where)
        name = {"name": _text(source, "name", where)} if source.get("name") else {}
        return {"address": address, **name}, (address.lower(),), address.lower()
    if source.get("addresses"):
        several = [_phone(one, where) for one in _list(source["addresses"], where)]
        return {"addresses": several}, tuple(map(_number, several)), " ".join(sorted(map(_channel_and_number, several)))
    one = _phone(source, where)
    return one, (_number(one),), _channel_and_number(one)


def _phone(source: object, where: str) -> dict[str, str]:
    given = {"address": source} if isinstance(source, str) else source
    if not _is_mapping(given):
        raise CommsArgumentError(f"{where}: an address is a {type(source).__name__}.", advice=_FORMS)
    address = _address_text(given, where)
    is_whatsapp = address.lower().startswith(_WHATSAPP)
    channel = str(given.get("channel") or ("WHATSAPP" if is_whatsapp else "PHONE")).upper()
    if channel not in _CHANNELS:
        raise CommsArgumentError(
            f"{where}: its channel is not one that messages are sent to.",
            advice=f"Use {' or '.join(_CHANNELS)}; PHONE is SMS, MMS and RCS.",
        )
    if "(0)" in address:
        raise CommsArgumentError(
            f"{where}: its number has a (0), which is only dialled within the country.",
            advice="Leave it out: +49 30 1234567.",
        )
    return {"address": plain_number(address), "channel": channel}


def plain_number(text: str) -> str:
    """Return a telephone number as the API takes it: without `whatsapp:` before it and punctuation in it."""
    return _PUNCTUATION.sub("", text[len(_WHATSAPP) :] if text.lower().startswith(_WHATSAPP) else text)


def _number(phone: Mapping[str, str]) -> str:
    return phone["address"].lower()


def _channel_and_number(phone: Mapping[str, str]) -> str:
    return f"{phone['channel']}:{_number(phone)}"


def _address_text(source: Mapping[str, object], where: str) -> str:
    address = _text(source, "address", where)
    if "{{" in address or "{%" in address:
        raise CommsArgumentError(
            f"{where}: its address is a template, which Airflow only renders if it is the whole of to=.",
            advice='Give to="{{ ... }}", or the output of a task.',
        )
    if is_recipient_file(address):
        raise CommsArgumentError(
            f"{where}: its address is the name of a file.", advice="Give one file, as to= itself and not in a list."
        )
    return address


def _text(source: Mapping[str, object], name: str, where: str) -> str:
    value = source.get(name)
    if isinstance(value, int) and not isinstance(value, bool):  # A telephone number that lost its plus sign.
        raise CommsArgumentError(
            f"{where}: its {name} is a number.", advice="Write it as text, a telephone number as +14155550100."
        )
    if not isinstance(value, str) or not value.strip():
        raise CommsArgumentError(f"{where} has no {name}.", advice=_FORMS)
    return value.strip()


def _list(value: object, where: str) -> list[object]:
    if isinstance(value, (list, tuple)):
        return list(value)
    raise CommsArgumentError(f"{where}: its addresses are a {type(value).__name__}, not a list.", advice=_FORMS)


def _variable_name(name: object, where: str) -> str:
    if isinstance(name, str) and name.strip():
        return name.strip()
    raise CommsArgumentError(f"{where}: a variable has no name.", advice=_FORMS)


def _variable(value: object, name: str, where: str) -> str:
    match value:
        case str():  # Nearly all of them.
            return value
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return str(value)
        case date():
            return value.isoformat()
    # Any other name may be an address.
    which = f"the variable {name!r}" if name.isidentifier() else "a variable"
    raise CommsArgumentError(
        f"{where}: {which} is a {type(value).__name__}.",
        advice="Use strings: Twilio's Liquid supports no lists or mappings as variables.",
    )

"""The body of an error, in any of the three forms that Twilio's have: what went wrong, and in which field."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_LISTED = 5
"""Errors that a message names."""
_SEND_FIELDS = ("from", "to", "content", "schedule", "tags", "ipPoolName")
_LIST_PARAMETERS = ("startDate", "endDate", "status", "pageSize", "operationId")
_ROOTS = frozenset((*_SEND_FIELDS, *_LIST_PARAMETERS))
_PART = re.compile(
    r"[./]?(?P<name>[A-Za-z_][\w-]*)"
    r"|\[(?P<index>[0-9]{1,9})\]"
    r"|/(?P<position>[0-9]{1,9})"
    r"|\[(?P<quote>['\"])(?P<key>[A-Za-z_][\w-]*)(?P=quote)\]"
)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """
    What a body says.

    :param code: the first of Twilio's codes.
    :param errors: each error that has something to say.
    :param is_comms: whether it has the form of the Comms API's errors, so that it was not a gateway that answered.
    """

    code: int | None = None
    errors: tuple[ApiError, ...] = ()
    is_comms: bool = False

    def __str__(self) -> str:
        if len(self.errors) <= 1:
            return "".join(one.without_code() for one in self.errors)
        return listed([str(one) for one in self.errors])


def read_error_body(body: bytes, shown: Callable[[str], str]) -> ErrorBody:
    """
    Read a body.

    :param shown: returns what of a message may be shown.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ErrorBody()
    if not isinstance(data, dict):
        return ErrorBody()
    records = data["errors"] if isinstance(data.get("errors"), list) else []
    shown = cache(shown)  # Thousands of recipients may have the same error.
    errors = tuple(_errors(records, shown))
    return ErrorBody(
        _code(data, *records),
        errors or tuple(_errors([data], shown)),
        is_comms=any(isinstance(one, dict) and type(one.get("code")) is int for one in records),
    )


def listed(texts: Sequence[str]) -> str:
    """Return the first few texts, and how many more there are."""
    more = f"; and {len(texts) - MAX_LISTED:,} more" if len(texts) > MAX_LISTED else ""
    return "; ".join(texts[:MAX_LISTED]) + more


def _errors(records: Iterable[Any], shown: Callable[[str], str]) -> Iterable[ApiError]:
    for record in records:
        if (message := _message(record)) is not None:
            yield ApiError(_code(record), shown(message), *located(_parts(_path(record))))


def _code(*records: Any) -> int | None:
    codes = (one.get("code") for one in records if isinstance(one, dict))
    return next((code for code in codes if type(code) is int), None)


def _message(record: object) -> str | None:
    """Return what one error says: Comms `message`, the platform's `message`, RFC 9457's `detail` or `title`."""
    if not isinstance(record, dict):
        return None
    return next((record[name] for name in ("message", "detail", "title") if _is_text(record.get(name))), None)


def _path(record: dict[str, Any]) -> str:
    """Return the JSON path to the field at fault. Comms writes the text "null" where there is none."""
    return next((record[name] for name in ("context", "pointer") if _is_text(record.get(name), but="null")), "")


def _is_text(value: object, but: str = "") -> bool:
    return isinstance(value, str) and value.strip() not in ("", but)


def _parts(path: str) -> list[str | int]:
    """
    Return the parts of a JSON path such as `$.to[17].address`, or of a pointer such as `#/to/17/address`.

    They end before the first that is no plain name or index, and there are none where the first is not a field of a
    request: it may be a recipient, or a token.
    """
    parts: list[str | int] = []
    position = len(path) - len(path.lstrip("$#"))
    while part := _PART.match(path, position):
        index = part["index"] or part["position"]
        parts.append(int(index) if index else part["name"] or part["key"])
        position = part.end()
    return parts if parts and parts[0] in _ROOTS else []


def located(parts: Iterable[str | int]) -> tuple[str | None, int | None]:
    """
    Return the name of a field, and the number of the recipient's row, from 1, if it is one of a recipient.

    :param parts: names and indices from the root of the request's JSON on.
    """
    match [*parts]:
        case ["to", int(index), *rest]:
            return _field(["to", *rest]), index + 1
        case names:
            return _field(names) or None, None


def _field(names: Iterable[str | int]) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in names).removeprefix(".")

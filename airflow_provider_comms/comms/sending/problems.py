"""What is wrong with a request, before it is sent: which field, of which recipient. Never what it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from airflow_provider_comms.comms.errors import ApiError, CommsArgumentError, ErrorContext
from airflow_provider_comms.comms.http.error_body import listed, located
from airflow_provider_comms.comms.http.request import POST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_comms.comms.resource import Resource

T = TypeVar("T")
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w.-]{0,60}")
_ARGUMENTS = (
    (re.compile(r"^content\."), ""),
    (re.compile(r"^from\b"), "from_"),
    (re.compile(r"^schedule\b.*"), "send_at"),
    (re.compile(r"^ipPoolName$"), "ip_pool_name"),
    (re.compile(r"^contentId$"), "content_id"),
)
"""Fields of the JSON to the arguments that they come from."""
_EXPLANATIONS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of the API",
    "string_type": "is not a string",
    "string_unicode": "has half of a surrogate pair, which cannot be sent",
    "string_too_short": "is too short: {min_length} characters at least",
    "string_too_long": "is too long: {max_length} characters at most",
    "string_pattern_mismatch": "does not match {pattern}",
    "too_short": "has too few entries: {min_length} at least",
    "too_long": "has too many entries: {max_length} at most",
    "literal_error": "is not one of {expected}",
    "model_type": "is not a mapping",
    "model_attributes_type": "is not a mapping",
    "int_type": "is not an integer",
    "float_type": "is not a number",
    "bool_type": "is not True or False",
    "dict_type": "is not a mapping",
    "list_type": "is not a list",
    "value_error": "{error}",
}
"""pydantic's types of errors in the words of our messages. None of their details is a value of the request."""


def checked(check: Callable[[], T], resource: Resource, within: str | None = None) -> T:
    """
    Return what the check returns.

    :param within: the argument that is checked, if it is not the whole request.
    :raises CommsArgumentError: it refuses something. The error keeps nothing of what was refused.
    """
    try:
        return check()
    except ValidationError as error:
        faults = [_fault(one, within) for one in error.errors(include_input=False, include_url=False)]
    # Outside of the except clause: the refused values would hang on the error's context.
    raise refusal(resource, *faults)


def refusal(resource: Resource, *faults: ApiError) -> CommsArgumentError:
    """Return the error for what is wrong with a request."""
    return CommsArgumentError(
        f"Not sent: {listed([f'{one.place} {one.message}'.strip() for one in faults])}.",
        ErrorContext(method=POST, resource=resource.value, errors=faults, sent=False),
        "Fix the arguments named in the message; nothing was sent.",
    )


def _fault(error: Mapping[str, Any], within: str | None) -> ApiError:
    parts = [_name(part) for part in (within, *error["loc"]) if part is not None and not _is_branch(part)]
    field, row = located(parts)
    saying = _EXPLANATIONS.get(error["type"])
    said = saying.format_map(error.get("ctx", {})) if saying else error["msg"]
    for pattern, argument in _ARGUMENTS:
        field = pattern.sub(argument, field or "")
    return ApiError(None, said, field or None, row)


def _is_branch(part: str | int) -> bool:
    """Whether it is a branch of a union (see `model.tag`), or pydantic's word for the key of a mapping."""
    return isinstance(part, str) and part[:1] in ("<", "[")


def _name(part: str | int) -> str | int:
    """Return a name as it may be shown: a key that is no plain name may hold a recipient."""
    return part if isinstance(part, int) or _PLAIN_NAME.fullmatch(part) else "(a key)"

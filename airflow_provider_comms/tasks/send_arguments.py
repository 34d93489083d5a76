"""What the arguments of the send operators must be: what a DAG says at parsing; requests are checked when they run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from airflow_provider_comms.comms.arguments import check_bool, check_integer
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.redaction import shown
from airflow_provider_comms.comms.sending.checks import MAX_TAGS
from airflow_provider_comms.sending.allow_list import AllowList
from airflow_provider_comms.sending.chunks import MAX_CHUNK
from airflow_provider_comms.sending.keys import MAX_OWN_TAGS, RESERVED
from airflow_provider_comms.sending.once import OnUnknown
from airflow_provider_comms.sending.recipient_files import SUFFIXES, is_recipient_file
from airflow_provider_comms.sending.recipients import read_variables
from airflow_provider_comms.tasks.arguments import is_literal
from airflow_provider_comms.tasks.unshown import is_path
from airflow_provider_comms.waiting.spec import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE_NAME = re.compile(r"(?!.*(?:://|<))\S+\.(?:html?|txt|md|liquid|j2|jinja2?)", re.IGNORECASE)
_PATH = re.compile(r"(?:\.{0,2}/)|\S*://|[^@\s,]+\.[A-Za-z]\w*\s*$")
"""Beginning with a slash or a scheme; or of one word that ends as a file's name does, and is no e-mail address."""
MAX_USER_TAGS = MAX_TAGS - MAX_OWN_TAGS
ON_EMPTY = ("fail", "skip")
_MESSAGE_CONTENTS = ("text or media", "content_id", "modules")


def check_send(arguments: Mapping[str, object], is_known: Callable[[object], bool] = lambda _: True) -> None:
    """
    Refuse what is invalid.

    :param arguments: of the operator, by name.
    :param is_known: whether the value of an argument is there already.
    :raises CommsArgumentError: names the argument; its value only where it can be no recipient.
    """
    for name, check in _CHECKS.items():
        if is_known(arguments[name]):
            check(arguments[name])


def check_one_content(arguments: Mapping[str, object]) -> None:
    """
    Refuse a message with no content, or with two kinds of it.

    :raises CommsArgumentError: names the kinds.
    """
    kinds = (
        arguments.get("text") is not None or arguments.get("media") is not None,
        arguments.get("content_id") is not None,
        arguments.get("modules") is not None,
    )
    if sum(kinds) != 1:
        given = " and ".join(name for name, is_given in zip(_MESSAGE_CONTENTS, kinds, strict=True) if is_given)
        raise CommsArgumentError(
            f"A message has exactly one kind of content; this one has {given or 'none'}.",
            advice=f"Give one of: {'; '.join(_MESSAGE_CONTENTS)}.",
        )


def check_email_sender(sender: object) -> None:
    """
    Refuse a sender without a name: Twilio answers it with "Invalid value provided for field 'from'".

    :raises CommsArgumentError: says what to give.
    """
    is_address = isinstance(sender, Mapping) and {"address", "name"} <= sender.keys()
    is_id = isinstance(sender, Mapping) and "senderId" in sender
    if is_literal(sender) and is_address == is_id:
        raise CommsArgumentError(
            "from_ is not the sender of an e-mail.",
            advice='Give {"address": "news@example.com", "name": "Example News"}, both of them, or {"senderId": ...}.',
        )


def check_body(name: str, value: object) -> None:
    """
    Refuse the name of a file where its content is meant: it would be sent as it is.

    :raises CommsArgumentError: says how to name a file.
    """
    if isinstance(value, str) and _FILE_NAME.fullmatch(value.strip()):
        raise CommsArgumentError(
            f"{name}={shown(value)} is the name of a file, and would be sent as it is.",
            advice=f"To send what is in it, give {name}=Path({shown(value)}).",
        )


def bool_of(name: str, value: object) -> bool:
    """Return a bool, which a template makes a text of."""
    text = value.strip().lower() if isinstance(value, str) else None
    return text == "true" if text in {"true", "false"} else check_bool(name, value)


def number_of(name: str, value: object) -> int | None:
    """Return a whole number >= 0 or None, which a template makes texts of."""
    if value is None or value in ("", "None"):
        return None
    is_text = isinstance(value, str) and value.strip().isdecimal()
    return check_integer(name, int(str(value)) if is_text else value, 0, None)


def check_tags(tags: object) -> None:
    """Refuse tags that would clash with ours. What they may hold is checked when they are sent."""
    if tags is None:
        return
    if not isinstance(tags, Mapping):
        raise CommsArgumentError(f"tags={shown(tags)} is not a mapping.", advice='Use {"campaign": "spring"}.')
    if reserved := [name for name in tags if str(name).lower().startswith(RESERVED)]:
        raise CommsArgumentError(
            f"tags= names {reserved[0]!r}: names that begin with {RESERVED!r} are for what makes a send recognizable.",
            advice="Choose another name.",
        )
    if len(tags) > MAX_USER_TAGS:
        raise CommsArgumentError(
            f"tags= has {len(tags)}: Twilio takes {MAX_TAGS}, and {MAX_OWN_TAGS} of them make a send recognizable.",
            advice=f"Give {MAX_USER_TAGS} at most.",
        )


def _check_to(value: object) -> None:
    if value is None or isinstance(value, (bytes, bool, int, float)):
        raise CommsArgumentError(
            f"to= is a {type(value).__name__}.", advice="Give addresses, rows, an upstream task's XCom or a path."
        )
    if isinstance(value, (set, frozenset)):
        raise CommsArgumentError(
            "to= is a set, whose order changes from try to try.", advice="Give a list: to=sorted(people)."
        )
    if isinstance(value, Mapping) and not value:
        raise CommsArgumentError("to= is an empty mapping.", advice="Give a recipient.")
    name = str(value) if is_path(value) else value
    if not isinstance(name, str) or is_recipient_file(name):
        return
    # What it says is not shown: it may be a recipient, or all of them.
    if is_path(value) or _PATH.match(name):
        raise CommsArgumentError(
            "to= is a path, and not that of a file of recipients.",
            advice=f"Use a name that ends in {', '.join(SUFFIXES)}, or one of these and .gz.",
        )
    if name.lstrip().startswith(("[", "{", "('", '("')) or name.strip() == "None":
        raise CommsArgumentError(
            "to= is a string that looks like a rendered list, mapping or None: a template turned it into text.",
            advice="Give the output of the upstream task itself (to=query.output), or set "
            "render_template_as_native_obj=True for the DAG.",
        )


def _one_of(name: str, choices: tuple[str, ...]) -> Callable[[object], None]:
    def check(value: object) -> None:
        if value not in choices:
            raise CommsArgumentError(f"{name}={shown(value)} is unknown.", advice=f"Use {' or '.join(choices)}.")

    return check


def _check_allowed(value: Any) -> None:
    if value is not None:
        AllowList(value)


_CHECKS: dict[str, Callable[[object], object]] = {
    "to": _check_to,
    "variables": lambda value: read_variables(value or {}, "variables="),
    "tags": check_tags,
    "on_unknown": _one_of("on_unknown", get_args(OnUnknown)),
    "on_empty": _one_of("on_empty", ON_EMPTY),
    "confirm_for": lambda value: seconds_of("confirm_for", value),
    "pause_between_chunks": lambda value: seconds_of("pause_between_chunks", value),
    "chunk_size": lambda value: check_integer("chunk_size", value, 1, MAX_CHUNK),
    "max_recipients": lambda value: number_of("max_recipients", value),
    "allow_recipients": _check_allowed,
    "dry_run": lambda value: bool_of("dry_run", value),
    "look_before": lambda value: check_bool("look_before", value),
    "deduplicate": lambda value: check_bool("deduplicate", value),
    "wait_for_completion": lambda value: check_bool("wait_for_completion", value),
    "deferrable": lambda value: check_bool("deferrable", value),
}

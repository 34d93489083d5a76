"""One row per operation: the columns that every format has, and the formats."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_comms.comms.models import Operation

    Row = dict[str, Any]

TEXTS = ("resource", "id", "status")
MOMENTS = ("created_at", "updated_at")
COUNTERS = tuple(dict.fromkeys(counter for resource in Resource for counter in resource.counters))
"""The documented counters of all resources, as reported; null where an operation has none."""
OTHER_COUNTERS = "other_counters"
"""Counters that are not documented, or too large for 64 bits, as a JSON object; null where there are none."""
DERIVED = ("reached", "not_reached", "in_progress")
"""Figures that hold however Twilio counts."""
COLUMNS = (*TEXTS, *MOMENTS, *COUNTERS, OTHER_COUNTERS, *DERIVED)
FORMATS = ("jsonl", "jsonl.gz", "csv", "csv.gz", "parquet")

_MAX_INTEGER = 2**63 - 1


def row_of(operation: Operation, counters: Mapping[str, int], figures: Mapping[str, int]) -> Row:
    """
    Return an operation's row: each of COLUMNS, with datetimes and whole numbers of at most 64 bits.

    :param counters: as it reports them.
    :param figures: derived from them.
    """
    other = {name: value for name, value in counters.items() if name not in COUNTERS or abs(value) > _MAX_INTEGER}
    row = dict.fromkeys(COLUMNS)
    row |= {name: value for name, value in counters.items() if name not in other}
    row |= {name: min(figures[name], _MAX_INTEGER) for name in DERIVED}
    row |= {
        "resource": operation.resource.value,
        "id": operation.id,
        "status": str(operation.status),
        "created_at": operation.created_at,
        "updated_at": operation.updated_at,
        OTHER_COUNTERS: json.dumps(other, sort_keys=True) if other else None,
    }
    return row


def check_formats(formats: object) -> tuple[str, ...]:
    """
    Return the formats asked for, each once.

    :raises CommsArgumentError: one is unknown, or pyarrow is missing for it.
    """
    given = check_format_names(formats)
    if "parquet" in given and find_spec("pyarrow") is None:
        raise CommsArgumentError(
            "Parquet needs pyarrow, which is not installed.",
            advice="pip install 'airflow-provider-comms[parquet]', or use another format.",
        )
    return given


def check_format_names(formats: object) -> tuple[str, ...]:
    """
    Return the formats asked for, each once, whether or not this process could write them.

    :raises CommsArgumentError: one is unknown.
    """
    given = (
        (formats,) if isinstance(formats, str) else tuple(formats) if isinstance(formats, (list, tuple)) else (formats,)
    )
    if unknown := [one for one in given if one not in FORMATS]:
        raise CommsArgumentError(f"formats={unknown[0]!r} is unknown.", advice=f"Use some of {', '.join(FORMATS)}.")
    return tuple(dict.fromkeys(given))


def format_of(name: str) -> str:
    """
    Return the format that a file's name asks for.

    :raises CommsArgumentError: it asks for none.
    """
    for one in FORMATS:
        if name.lower().endswith(f".{one}"):
            return one
    raise CommsArgumentError(f"{name!r} does not end in a known format.", advice=f"Use one of {', '.join(FORMATS)}.")

"""
The connection's fields: one table, read by the connection form, by the reading of a connection and by the docs.

Pure data: Airflow reads it at start-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CONN_TYPE = "twilio_comms"
CONN_NAME = "Twilio Comms"
DEFAULT_CONN_ID = "twilio_comms_default"


@dataclass(frozen=True, slots=True)
class Field:
    """
    One field of the connection's extra.

    :param kind: its JSON type: "number", "integer", "boolean" or "string".
    :param label: as the form shows it.
    :param help: what it does, with its unit.
    :param default: value where it is not given; None if there is none.
    :param bounds: further keywords of JSON schema.
    """

    kind: str
    label: str
    help: str
    default: Any = None
    bounds: tuple[tuple[str, Any], ...] = ()

    def schema(self) -> dict[str, Any]:
        """Return the field's JSON schema, as Airflow's form reads it."""
        return {"type": [self.kind, "null"], "default": self.default, **dict(self.bounds)}


_SECONDS = (("exclusiveMinimum", 0), ("maximum", 3600))

EXTRAS: dict[str, Field] = {
    "connect_timeout": Field("number", "Connect timeout", "Seconds for a connection to stand.", 10, _SECONDS),
    "read_timeout": Field("number", "Read timeout", "Seconds for the next bytes of an answer.", 30, _SECONDS),
    "write_timeout": Field("number", "Write timeout", "Seconds for the next bytes of a request.", 30, _SECONDS),
    "attempt_timeout": Field(
        "number", "Attempt timeout", "Seconds for one request and its whole answer.", 60, _SECONDS
    ),
    "call_timeout": Field("number", "Call timeout", "Seconds for a call with all its retries.", 300, _SECONDS),
    "attempts": Field(
        "integer",
        "Attempts",
        "Requests that one call may make, the first included.",
        5,
        (("minimum", 1), ("maximum", 20)),
    ),
    "retry_after_cap": Field(
        "number", "Longest Retry-After", "Seconds that a call waits at most where the API asks it to.", 120, _SECONDS
    ),
    "max_in_flight": Field(
        "integer",
        "Requests in flight",
        "Requests under way at once per process.",
        16,
        (("minimum", 1), ("maximum", 100)),
    ),
    "verify": Field("boolean", "Verify TLS", "Check the server's certificate. Switch off in tests only.", True),
    "ca_file": Field("string", "CA file", "Path of a PEM file of authorities to trust in place of the usual ones."),
    "proxy": Field("string", "Proxy", "URL of a proxy; empty takes the usual environment variables."),
}


def conn_fields() -> dict[str, Any]:
    """Return the extra's fields as Airflow 3.2 and later read them (`conn-fields`)."""
    return {
        name: {"label": field.label, "description": field.help, "schema": field.schema()}
        for name, field in EXTRAS.items()
    }


def ui_field_behaviour() -> dict[str, Any]:
    """Return what becomes of Airflow's own fields (`ui-field-behaviour`)."""
    return {
        "hidden-fields": ["schema", "port"],
        "relabeling": {
            "login": "Account SID or API key SID",
            "password": "Auth token or API key secret",
            "host": "Base URL",
        },
        "placeholders": {
            "login": "AC... or SK...",
            "host": "https://comms.twilio.com",
        },
    }

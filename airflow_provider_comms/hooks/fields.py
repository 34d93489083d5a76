"""
The connection's fields: one table, read by the connection form, by the reading of a connection and by the docs.

Pure data: Airflow reads it at start-up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite

CONN_TYPE = "twilio_comms"
CONN_NAME = "Twilio Comms"
DEFAULT_CONN_ID = "twilio_comms_default"


@dataclass(frozen=True, slots=True)
class Standard:
    """
    One of the fields that Airflow gives every connection. Its form can relabel and hide them, and no more.

    :param label: as the form shows it.
    :param placeholder: what an empty field shows.
    :param where: where Twilio's console shows its value.
    :param example: a value.
    """

    label: str
    placeholder: str
    where: str
    example: str


@dataclass(frozen=True, slots=True)
class Field:
    """
    One field of the connection's extra.

    :param kind: its JSON type: "number", "integer", "boolean" or "string".
    :param label: as the form shows it.
    :param help: what it does, with its unit.
    :param default: value if it is not given; None if there is none.
    :param minimum: least value of a number.
    :param maximum: greatest value of a number.
    :param pattern: regular expression that a text must match from its start.
    :param example: a value, for a text.
    :param secret: a text that must not be shown; Airflow masks it if its name holds "password".
    """

    kind: str
    label: str
    help: str
    default: float | bool | str | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    example: str | None = None
    secret: bool = False

    def schema(self) -> dict[str, object]:
        """Return the field's JSON schema, as Airflow's form reads it."""
        keywords = {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "pattern": self.pattern,
            "format": "password" if self.secret else None,
        }
        given = {name: value for name, value in keywords.items() if value is not None}
        return {"type": [self.kind, "null"], "default": self.default, **given}

    def refusal(self, value: float | str) -> str | None:
        """Return why a value of the right type is out of bounds; None if it is not."""
        if isinstance(value, str):
            return self._refusal_of_text(value)
        if isinstance(value, float) and not isfinite(value):
            return "is not a finite number"
        if self.minimum is not None and value < self.minimum:
            return f"is below {self.minimum}"
        if self.maximum is not None and value > self.maximum:
            return f"is above {self.maximum}"
        return None

    def _refusal_of_text(self, value: str) -> str | None:
        if not value.isprintable():
            return "holds a control character"
        if self.pattern is not None and not re.match(self.pattern, value):
            return f"does not look like {self.example}"
        return None


_KEYS_PAGE = "Console > Account settings > API keys & auth tokens"

STANDARD: dict[str, Standard] = {
    "login": Standard(
        "Account SID or API key SID",
        f"SK... or AC...: {_KEYS_PAGE}",
        f"{_KEYS_PAGE}: *SID* of the API key; or *Account SID* on the console's first page",
        "`SK0123456789abcdef0123456789abcdef`",
    ),
    "password": Standard(
        "Auth token or API key secret",
        "the key's secret (Twilio shows it once), or the auth token",
        f"shown once, when the key is made ({_KEYS_PAGE}: *Create API key*); or *Auth Token* on the console's "
        "first page",
        "32 letters and digits",
    ),
    "host": Standard(
        "Base URL",
        "empty for https://comms.twilio.com",
        "nowhere: leave it empty, unless you use a gateway or a simulator instead of Twilio",
        "`http://127.0.0.1:8000`",
    ),
    "port": Standard(
        "Port",
        "empty; or 0, which Airflow 3.3.1 and 3.3.2 need for the Test button",
        "nowhere: leave it empty; see [Testing it](#testing-it) for Airflow 3.3.1 and 3.3.2",
        "`0`",
    ),
}
HIDDEN = ("schema",)


def _seconds(label: str, help_text: str, default: float) -> Field:
    return Field("number", label, help_text, default, minimum=0.1, maximum=3600)


EXTRAS: dict[str, Field] = {
    "proxy": Field(
        "string",
        "Proxy",
        "URL of a proxy, such as http://user@proxy.example.com:3128. Empty: HTTPS_PROXY and NO_PROXY of the worker's "
        "environment apply.",
        pattern=r"https?://[^\s/?#]+/?$",
        example="http://user@proxy.example.com:3128",
    ),
    "proxy_password": Field("string", "Proxy password", "Password of the user in the proxy's URL.", secret=True),
    "ca_file": Field(
        "string",
        "CA file",
        "Path, on the workers and the triggerer, of a PEM file of certificate authorities to trust instead of the "
        "usual ones: for a proxy that decrypts TLS.",
        example="/etc/ssl/certs/company.pem",
    ),
    "verify": Field(
        "boolean",
        "Verify TLS",
        "Check the server's certificate. If off, anyone in between can read the secret: for tests only.",
        True,
    ),
    "connect_timeout": _seconds("Connect timeout", "Seconds until a connection is open.", 10),
    "read_timeout": _seconds("Read timeout", "Seconds until the next bytes of a response arrive.", 30),
    "write_timeout": _seconds("Write timeout", "Seconds until the next bytes of a request are sent.", 30),
    "attempt_timeout": _seconds("Attempt timeout", "Seconds for one request and its complete response.", 60),
    "call_timeout": _seconds(
        "Call timeout", "Seconds for a call with all its retries and the waits between them.", 300
    ),
    "attempts": Field(
        "integer", "Attempts", "Requests that one call may make, including the first.", 5, minimum=1, maximum=20
    ),
    "retry_after_cap": _seconds(
        "Longest Retry-After", "Seconds that a call waits at most when Twilio asks it to wait.", 120
    ),
    "max_in_flight": Field(
        "integer", "Requests in flight", "Requests in flight at the same time, per process.", 16, minimum=1, maximum=100
    ),
}


def conn_fields() -> dict[str, object]:
    """Return the extra's fields as Airflow 3.2 and later read them (`conn-fields`)."""
    return {
        name: {"label": field.label, "description": field.help, "schema": field.schema()}
        for name, field in EXTRAS.items()
    }


def ui_field_behaviour(separator: str = "-") -> dict[str, object]:
    """
    Return what becomes of Airflow's own fields.

    :param separator: "-" as the metadata spells its keys (`ui-field-behaviour`, Airflow 3.2 and later), "_" as a
        hook's method does.
    """
    examples = {name: field.example for name, field in EXTRAS.items() if field.example}
    return {
        f"hidden{separator}fields": list(HIDDEN),
        "relabeling": {name: field.label for name, field in STANDARD.items()},
        "placeholders": {name: field.placeholder for name, field in STANDARD.items()} | examples,
    }

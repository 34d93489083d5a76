"""What one value of a request must be. Each raises ValueError with what is wrong with it, and never quotes it."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from datetime import datetime

MAX_RECIPIENTS = 10_000
"""Of a request."""
MAX_TAGS = 10
MAX_TAG_NAME, MAX_TAG_VALUE = 128, 256
TAG_CHARACTER = "[a-zA-Z0-9._~-]"
"""Regular expression of what names and values of tags are made of."""
MAX_SMS_TEXT = 1600
"""Characters of a message's text; with more, Twilio answers 21617."""
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_HEADERS = frozenset(
    {
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    }
)


def email_address(value: str) -> str:
    """Refuse what is no e-mail address at all; whether it can be reached, Twilio finds out."""
    if not _EMAIL.fullmatch(value) or not value.isprintable():
        raise ValueError("is not an e-mail address such as name@example.com (a name goes into 'name')")
    return value


def message_address(value: str) -> str:
    """Refuse what is no telephone number at all."""
    if not _NUMBER.fullmatch(value):
        raise ValueError("is not a telephone number such as +14155550100 (digits only, no blanks)")
    return value


def ascii_only(value: str) -> str:
    """Refuse what Twilio does not take in a sender."""
    if not value.isascii():
        raise ValueError("has characters that are not ASCII, which Twilio does not take in a sender")
    return value


def one_line(value: str) -> str:
    """Refuse what could add a line to the header of an e-mail."""
    if any(char in value for char in "\r\n\0"):
        raise ValueError("has a line break")
    return value


def header_name(value: str) -> str:
    """Refuse a header that Twilio sets itself, or none at all."""
    if not _HEADER_NAME.fullmatch(value):
        raise ValueError("is not the name of a header")
    if value.lower() in _FORBIDDEN_HEADERS:
        raise ValueError(f"cannot be set: Twilio reserves {', '.join(sorted(_FORBIDDEN_HEADERS))}")
    return value


def header_value(value: str) -> str:
    """Refuse what could add another header."""
    return one_line(value)


def base64_text(value: str) -> str:
    """Refuse what is not base64."""
    try:
        b64decode(value, validate=True)
    except (Base64Error, ValueError):
        raise ValueError("is not base64 (give bytes, or base64.b64encode(...).decode())") from None
    return value


def date_time(value: str) -> str:
    """Refuse what is no time with an offset."""
    try:
        is_aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        is_aware = False
    if not is_aware:
        raise ValueError("is not a time such as 2026-11-20T06:00:00+01:00")
    return value


def each_once(values: list[str]) -> list[str]:
    """Refuse what names something twice."""
    if len(set(values)) < len(values):
        raise ValueError("names a channel twice")
    return values


def sms_text(value: str) -> str:
    """Refuse what is longer than Twilio sends. With Liquid in it, only Twilio knows how long it gets."""
    if len(value) > MAX_SMS_TEXT and not has_liquid(value):
        raise ValueError(f"has {len(value):,} characters, and Twilio sends {MAX_SMS_TEXT:,}")
    return value


def has_liquid(text: str) -> bool:
    """Whether Twilio takes a part of the text for its template language."""
    return "{{" in text or "{%" in text

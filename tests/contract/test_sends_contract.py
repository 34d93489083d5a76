"""What the simulator takes as a request to send, against Twilio's schemas and examples."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.simulator.responses import BadRequest
from airflow_provider_comms.simulator.send_requests import read_send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Contract

#: So that every date to send at in Twilio's examples is past, or within 30 days.
NOW = datetime(2030, 3, 25, tzinfo=UTC)
RESOURCE = {"POST /Emails": "emails", "POST /Messages": "messages"}
#: Where the simulator knows more than the schema says: what an address is, and what Twilio's pages and formats say.
STRICTER = re.compile(r"\$\.(to|from|schedule\.sendAt|to\[\d+\](\.addresses\[\d+\])?\.address|from\.address)")
REPLY = {"reply": {"text": "Yes", "postbackData": "yes"}}
ACTIONS = [
    {"dialAction": {"phoneNumber": "+14155550001"}},
    {"openUrlAction": {"url": "https://example.com", "application": "WEBVIEW", "webviewViewMode": "HALF"}},
    {"viewLocationAction": {"latLong": {"latitude": 59.4, "longitude": 24}, "label": "Tallinn"}},
    {"viewLocationAction": {"query": "cafe"}},
    {"shareLocationAction": {}},
    {
        "createCalendarEventAction": {
            "startTime": "2030-04-01T10:00:00Z",
            "endTime": "2030-04-01T11:00:00Z",
            "title": "Pick-up",
            "description": "Your cake",
        }
    },
]
FILE = {"fileUrl": "https://example.com/a.png", "forceRefresh": True}
CARD = {"title": "A cake", "media": {"contentInfo": FILE, "height": "TALL"}, "suggestions": [REPLY]}
#: Forms of RCS that no example of Twilio's has.
RCS = [
    {
        "text": "Hello",
        "suggestions": [{"action": {"text": "Go", "postbackData": "go", **action}} for action in ACTIONS],
    },
    *({"text": "Hello", "suggestions": [{"action": {"text": "Go", "postbackData": "go", **one}}]} for one in ACTIONS),
    {"contentInfo": FILE, "suggestions": [REPLY]},
    {"richCard": {"carouselCard": {"cardWidth": "SMALL", "cardContents": [CARD, CARD]}}},
    {"richCard": {"standaloneCard": {"cardOrientation": "HORIZONTAL", "cardContent": CARD}}},
]


def requests(contract: Contract) -> list[tuple[str, str, Any]]:
    to = [{"address": "+14155550001", "channel": "PHONE"}]
    own = [
        ("POST /Messages", f"RCS {n}", {"to": to, "content": {"modules": [{"rcs": rcs}]}}) for n, rcs in enumerate(RCS)
    ]
    return contract.requests() + own


def refused(name: str, body: Any) -> list[str]:
    """The JSON path of every problem that the simulator has with a request."""
    try:
        read_send(RESOURCE[name], {"content-type": "application/json"}, json.dumps(body).encode(), NOW)
    except BadRequest as refusal:
        return [problem.context for problem in refusal.problems]
    return []


def variations(value: Any) -> Iterator[Any]:
    """A value with one thing in it changed: left out, of another type, or too much."""
    for other in (5, "", None, [{}], {}):
        if type(other) is not type(value) or other != value:
            yield other
    if isinstance(value, dict):
        yield {**value, "unknownField": "x"}
        for key in value:
            yield {other: deepcopy(value[other]) for other in value if other != key}
            for changed in variations(value[key]):
                yield {**value, key: changed}
    if isinstance(value, list) and value:
        yield value * 11
        for changed in variations(value[0]):
            yield [changed, *value[1:]]


def test_every_example_is_taken(contract) -> None:
    examples = requests(contract)

    assert len(examples) > 30
    assert [(name, title) for name, title, body in examples if not contract.allows(name, body)] == []
    assert [(name, title, problems) for name, title, body in examples if (problems := refused(name, body))] == []


def test_the_simulator_refuses_just_what_the_schema_does(contract) -> None:
    tried = {(name, json.dumps(body)) for name, _, example in requests(contract) for body in variations(example)}
    too_strict, too_lax = [], []
    for name, text in sorted(tried):
        body = json.loads(text)
        allowed, problems = contract.allows(name, body), refused(name, body)
        if not allowed and not problems:
            too_lax.append(text)
        if allowed and not all(STRICTER.fullmatch(problem) for problem in problems):
            too_strict.append((problems, text))

    assert len(tried) > 2000
    assert too_lax == []
    assert too_strict == []

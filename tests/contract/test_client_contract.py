"""What the client sends, and takes to be sent, against the contract file."""

from __future__ import annotations

import json

import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.sending.requests import EmailSend, MessageSend

PATHS = {EmailSend: "POST /Emails", MessageSend: "POST /Messages"}
RENAMED = {"from": "from_", "contentId": "content_id", "ipPoolName": "ip_pool_name"}
SENDER = {"address": "news@example.com", "name": "News"}
PROFILE = {"profileId": "mem_profile_" + "0" * 26, "memoryStoreId": "mem_store_" + "0" * 26}
PHONE = {"address": "+14155550100", "channel": "PHONE"}


def arguments_of(body):
    """Return the arguments that make a request of this JSON."""
    fields = {**body, **body["content"]}
    del fields["content"]
    if schedule := fields.pop("schedule", None):
        (fields["send_at"],) = schedule["sendAt"]
    return {RENAMED.get(name, name): value for name, value in fields.items()}


def test_every_request_of_twilios_can_be_made_and_stays_what_it_is(contract):
    made = 0
    for path, title, body in contract.requests():
        for kind in (kind for kind in PATHS if PATHS[kind] == path):
            arguments = arguments_of(body)
            far = arguments.get("send_at", "") > "2027"  # Twilio's own limit of 30 days.
            if far:
                arguments.pop("send_at")
            sent = json.loads(kind(**arguments).body())
            expected = {name: value for name, value in body.items() if not (far and name == "schedule")}
            assert sent == expected, title
            made += 1
    assert made >= 20


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (EmailSend, {"text": "Hello", "headers": {"X-A": "b"}, "ip_pool_name": "pool", "tags": {"a": "b"}}),
        (EmailSend, {"attachments": [{"filename": "a", "contentType": "text/plain", "content": b"\0\xff"}]}),
        (EmailSend, {"to": [PROFILE | {"variables": {"a": "b"}}], "send_at": "2026-11-20T06:00:00+01:00"}),
        (EmailSend, {"from_": {"senderId": "comms_sender_" + "0" * 26}}),
        (MessageSend, {"text": "Hello", "media": ["https://x/a"], "tags": {"a": "b"}}),
        (MessageSend, {"content_id": "HX" + "0" * 32, "to": [{"addresses": [PHONE]}, PROFILE]}),
        (MessageSend, {"modules": [{"rcs": {"text": "Hi"}}, {"sms": {"text": "Hi"}}]}),
    ],
)
def test_what_the_client_sends_keeps_the_contract(contract, kind, arguments):
    usual = {"from_": SENDER, "to": ["ada@example.com"], "subject": "Hello", "html": "Hello"}
    given = (usual if kind is EmailSend else {"to": ["+14155550100"]}) | arguments
    assert contract.allows(PATHS[kind], json.loads(kind(**given).body()))


REFUSED = [
    (EmailSend, {"from_": {"address": "news@example.com"}}),
    (EmailSend, {"from_": SENDER | {"senderId": "comms_sender_" + "0" * 26}}),
    (EmailSend, {"to": [{"name": "Ada"}]}),
    (EmailSend, {"tags": {"a b": "c"}}),
    (EmailSend, {"tags": {str(n): "c" for n in range(11)}}),
    (EmailSend, {"ip_pool_name": "x"}),
    (MessageSend, {"to": [PHONE | {"name": "Ada"}], "text": "Hello"}),
    (MessageSend, {"to": [], "text": "Hello"}),
    (MessageSend, {"to": [{"addresses": [PHONE] * 11}], "text": "Hello"}),
    (MessageSend, {"modules": [{"sms": {}}]}),
    (MessageSend, {"content_id": "MG" + "0" * 32}),
    (MessageSend, {"modules": [{"rcs": {"text": "x", "suggestions": [{"reply": {"text": "x"}}]}}]}),
    (MessageSend, {"text": "Hello", "from_": PHONE}),
]


@pytest.mark.parametrize(("kind", "arguments"), REFUSED)
def test_what_breaks_the_contract_cannot_be_made(contract, kind, arguments):
    usual = {"from_": SENDER, "to": ["ada@example.com"], "subject": "Hello", "html": "Hello"}
    with pytest.raises(CommsArgumentError):
        kind(**((usual if kind is EmailSend else {"to": ["+14155550100"]}) | arguments))
    body = json_of(kind, arguments)
    assert not contract.allows(PATHS[kind], body)


def json_of(kind, arguments):
    """Return the JSON that these arguments would be, checked by nobody."""
    names = {ours: theirs for theirs, ours in RENAMED.items()}
    body = {"from": SENDER, "to": [{"address": "ada@example.com"}]} if kind is EmailSend else {"to": [PHONE]}
    content = {"subject": "Hello", "html": "Hello"} if kind is EmailSend else {}
    for name, value in arguments.items():
        place = body if name in ("from_", "to", "tags", "ip_pool_name") else content
        place[names.get(name, name)] = value
    return body | {"content": content}

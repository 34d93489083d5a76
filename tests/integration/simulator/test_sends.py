"""Sending: what is accepted, what is refused, what can be found afterwards, and what may go wrong."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import httpx
import pytest

from airflow_provider_comms.simulator import FieldError, Simulator

SENDER = {"address": "news@example.com", "name": "News"}
CONTENT = {"subject": "Hello", "html": "<p>Hello</p>"}
TAGS = {"airflow.send": "0123", "campaign": "spring"}
ID = r"comms_operation_[0-7][a-hjkmnpqrstv-z0-9]{25}"


def emails(count=3, **given):
    to = [{"address": f"reader{number}@example.com"} for number in range(count)]
    return {"from": SENDER, "to": to, "content": CONTENT, **given}


def messages(count=2, **given):
    to = [{"address": f"+1415555{number:04}", "channel": "PHONE"} for number in range(count)]
    return {"to": to, "content": {"text": "Hello"}, **given}


def items(api, resource="Emails", **query):
    return api.get(f"/{resource}", params=query).json()[resource.lower()]


def test_a_send_is_accepted_and_becomes_an_operation(simulator, api):
    answer = api.post("/Emails", json=emails(3, tags=TAGS))
    operation = api.get(f"/Emails/Operations/{answer.json()['operationId']}").json()
    (send,) = simulator.sends

    assert answer.status_code == 202
    assert (
        answer.json()["operationLocation"]
        == answer.headers["Location"]
        == f"{api.base_url}Emails/Operations/{send.operation_id}"
    )
    assert (operation["id"], operation["stats"]["recipients"]) == (send.operation_id, 3)
    assert (send.resource, send.tags, send.recipient_count) == ("emails", TAGS, 3)
    assert send.recipients == ("reader0@example.com", "reader1@example.com", "reader2@example.com")
    assert send.body == emails(3, tags=TAGS)
    assert "reader" not in repr(send)


def test_messages_of_every_form(simulator, api):
    profile = {"profileId": "mem_profile_" + "0" * 26, "memoryStoreId": "mem_store_" + "0" * 26}
    several = {
        "addresses": [
            {"address": "+14155550001", "channel": "WHATSAPP"},
            {"address": "+14155550002", "channel": "PHONE"},
        ]
    }
    answer = api.post("/Messages", json=messages(1) | {"to": [*messages(1)["to"], profile, several]})

    assert answer.status_code == 202
    assert simulator.sends[0].recipients == ("+14155550000", profile["profileId"], "+14155550001 +14155550002")
    assert [item["to"][0]["address"] for item in items(api, "Messages")][1:] == ["+15005550006", "+14155550000"]


def test_every_problem_of_a_send_is_told_at_once(simulator, api):
    body = messages(3) | {"content": {"text": "x" * 1601}, "tags": {"a b": "c"}, "schedule": {"sendAt": ["tomorrow"]}}
    body["to"][1]["address"] = "12"
    body["to"][2] = {}
    answer = api.post("/Messages", json=body)
    errors = answer.json()["errors"]

    assert answer.status_code == 400
    assert {(error["code"], error["context"]) for error in errors} == {
        (20400, "$.tags.a b"),
        (20400, "$.schedule.sendAt"),
        (21614, "$.to[1].address"),
        (20400, "$.to[2]"),
        (21617, "$.content.text"),
    }
    assert simulator.sends == ()
    assert simulator.sizes["messages"] == 0


@pytest.mark.parametrize(
    ("change", "context"),
    [
        ({"from": {"address": "news@example.com"}}, "$.from.name"),
        ({"from": {**SENDER, "senderId": "comms_sender_" + "0" * 26}}, "$.from"),
        ({"from": {"address": "news@example.com", "name": "Ñews"}}, "$.from.name"),
        ({"from": {"address": "news", "name": "News"}}, "$.from.address"),
        ({"to": []}, "$.to"),
        ({"to": [{"address": "a@example.com"}] * 10_001}, "$.to"),
        ({"to": [{"address": "a@example.com", "variables": {"count": 3}}]}, "$.to[0].variables.count"),
        ({"to": [{"profileId": "mem_profile_" + "0" * 26}]}, "$.to[0].memoryStoreId"),
        ({"content": {"subject": "Hello", "text": "Hello"}}, "$.content.html"),
        ({"content": {**CONTENT, "headers": {"reply-TO": "a@example.com"}}}, "$.content.headers.reply-TO"),
        (
            {"content": {**CONTENT, "attachments": [{"filename": "a", "contentType": "b", "content": "%"}]}},
            "$.content.attachments[0].content",
        ),
        ({"tags": {str(number): "x" for number in range(11)}}, "$.tags"),
        ({"tags": {"x" * 129: "x"}}, "$.tags." + "x" * 129),
        ({"tags": {"x": "x" * 257}}, "$.tags.x"),
        ({"tags": {"x": "{{ x }}"}}, "$.tags.x"),
        ({"schedule": {}}, "$.schedule"),
        ({"schedule": {"sendAt": ["2026-01-01T00:00:00"]}}, "$.schedule.sendAt"),
        ({"schedule": {"sendAt": [], "at": "noon"}}, "$.schedule.at"),
        ({"ipPoolName": "x"}, "$.ipPoolName"),
        ({"content": None}, "$.content"),
    ],
)
def test_an_email_that_breaks_the_schema_is_refused(simulator, api, change, context):
    answer = api.post("/Emails", json=emails() | change)

    assert [error["context"] for error in answer.json()["errors"]] == [context]
    assert (answer.status_code, simulator.sends) == (400, ())


@pytest.mark.parametrize(
    ("change", "context"),
    [
        ({"content": {}}, "$.content"),
        ({"content": {"text": "x", "contentId": "HX" + "0" * 32}}, "$.content"),
        ({"content": {"text": "x", "body": "y"}}, "$.content.body"),
        ({"content": {"media": [{}]}}, "$.content.media[0].url"),
        ({"content": {"contentId": "MG" + "0" * 32}}, "$.content.contentId"),
        ({"content": {"modules": []}}, "$.content.modules"),
        ({"content": {"modules": [{"sms": {}}]}}, "$.content.modules[0].sms"),
        ({"to": [{"address": "+14155550000"}]}, "$.to[0].channel"),
        ({"to": [{"address": "+14155550000", "channel": "SMS"}]}, "$.to[0].channel"),
        ({"to": [{"address": "+14155550000", "channel": "PHONE", "name": "x"}]}, "$.to[0].name"),
        ({"to": [{"addresses": []}]}, "$.to[0].addresses"),
        ({"from": {"address": "MG" + "0" * 32, "channel": "PHONE"}}, "$.from.channel"),
        ({"from": None}, "$.from"),
    ],
)
def test_a_message_that_breaks_the_schema_is_refused(simulator, api, change, context):
    answer = api.post("/Messages", json=messages() | change)

    assert [error["context"] for error in answer.json()["errors"]] == [context]
    assert (answer.status_code, simulator.sends) == (400, ())


@pytest.mark.parametrize(
    ("content", "kind", "context"),
    [
        (b"{", "application/json", "$"),
        (b"[]", "application/json", "$"),
        (b"\xff", "application/json", "$"),
        (json.dumps(emails()).encode(), "text/plain", "null"),
        (json.dumps(emails()).encode() + b" " * 5_000_000, "application/json", "$"),
    ],
)
def test_what_is_no_request_to_send_is_refused(simulator, api, content, kind, context):
    answer = api.post("/Emails", content=content, headers={"Content-Type": kind})

    assert [error["context"] for error in answer.json()["errors"]] == [context]
    assert (answer.status_code, simulator.sends) == (400, ())


def test_five_megabytes_are_taken(simulator, api):
    body = json.dumps(emails()).encode()

    assert (
        api.post("/Emails", content=body.ljust(5_000_000), headers={"Content-Type": "application/json"}).status_code
        == 202
    )


def test_other_methods_and_credentials(simulator, api):
    simulator.permit(simulator.account_sid, "emails", allowed=False, route="find")
    answers = api.put("/Emails"), httpx.post(f"{simulator.url}/v1/Emails", json=emails()), api.get("/Emails")

    assert [answer.status_code for answer in answers] == [405, 401, 403]
    assert answers[0].headers["Allow"] == "GET, POST"
    assert api.post("/Emails", json=emails()).status_code == 202
    assert [request.route for request in simulator.requests] == ["find", "send", "find", "send"]


def test_a_scheduled_send_waits(simulator, api):
    simulator.change_settings(send_plan={"processing_for": 10, "failed": 1 / 3})
    at = simulator.now.replace(microsecond=0).timestamp() + 3600
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    operation_id = api.post("/Emails", json=emails(schedule={"sendAt": [text]})).json()["operationId"]

    def status():
        return api.get(f"/Emails/Operations/{operation_id}").json()["status"], items(api)[-1]["status"]

    assert status() == ("SCHEDULED", "SCHEDULED")
    assert items(api)[0]["scheduledFor"] == text
    simulator.advance(3601)
    assert status() == ("PROCESSING", "QUEUED")
    simulator.advance(10)
    assert status() == ("COMPLETED", "FAILED")


def test_items_count_as_their_operation_does(simulator, api):
    plan = {"processing_for": 10, "failed": 0.1, "undelivered": 0.2, "opened": 0.5, "counters": "exclusive"}
    simulator.change_settings(send_plan=plan)
    operation_id = api.post("/Emails", json=emails(100)).json()["operationId"]
    simulator.advance(10)
    stats = api.get(f"/Emails/Operations/{operation_id}").json()["stats"]
    found = items(api, pageSize=1000)

    for status in ("FAILED", "UNDELIVERED", "DELIVERED", "OPENED", "SENT", "QUEUED"):
        assert sum(item["status"] == status for item in found) == stats[status.lower()]
        assert len(items(api, status=status, pageSize=1000)) == stats[status.lower()]


def test_items_are_found_by_tag_and_operation_and_paged(simulator, api):
    first = api.post("/Emails", json=emails(5, tags=TAGS)).json()["operationId"]
    second = api.post("/Emails", json=emails(4, tags=TAGS | {"campaign": "autumn"})).json()["operationId"]

    assert len(items(api)) == 9
    assert len(items(api, tags="airflow.send:0123;")) == 9
    assert len(items(api, tags="airflow.send:0123;campaign:autumn;")) == 4
    assert items(api, tags="campaign:winter;") == []
    assert len(items(api, operationId=second)) == 4
    assert len(items(api, operation_id=second)) == 9  # A misspelt filter is none.
    assert {item["tags"]["campaign"] for item in items(api, operationId=first)} == {"spring"}

    ids, token = [], None
    while True:
        page = api.get("/Emails", params={"pageSize": 2} | ({"pageToken": token} if token else {})).json()
        ids += [item["id"] for item in page["emails"]]
        if (token := page["pagination"]["next"]) is None:
            break
    assert ids == sorted({item["id"] for item in items(api)}, reverse=True)


def test_messages_name_their_operation_and_can_be_filtered_by_channel(simulator, api):
    operation_id = api.post(
        "/Messages", json=messages(from_=None) | {"from": {"address": "bot", "channel": "RCS"}}
    ).json()["operationId"]
    (related,) = items(api, "Messages")[0]["related"]

    assert (related["name"], related["id"]) == ("OPERATION", operation_id)
    assert api.get(related["uri"]).json()["id"] == operation_id
    assert len(items(api, "Messages", channel="RCS")) == 2
    assert items(api, "Messages", channel="SMS") == []
    assert items(api, "Messages", sessionId="comms_session_" + "0" * 26) == []
    assert items(api, "Messages", profile="mem_profile_" + "0" * 26) == []


def test_the_list_of_items_lags_and_items_come_gradually(simulator, api):
    simulator.change_settings(item_lag=30, items_per_second=2)
    operation_id = api.post("/Emails", json=emails(100)).json()["operationId"]
    counts = []
    for _ in range(4):
        counts.append(len(items(api, operationId=operation_id, pageSize=1000)))
        simulator.advance(25)

    assert counts[0] == counts[1] == 0
    assert 40 <= counts[2] <= 45
    assert 90 <= counts[3] <= 95


@pytest.mark.parametrize(
    ("form", "content", "located"),
    [("location-only", "", True), ("without-id", "{}", False), ("empty", "", False), ("html", "<html>", False)],
)
def test_a_send_can_be_accepted_without_saying_how_to_find_it(simulator, api, form, content, located):
    simulator.change_settings(accepted_form=form)
    answer = api.post("/Emails", json=emails())

    assert answer.status_code == 202
    assert answer.text.startswith(content)
    assert ("Location" in answer.headers) is located
    assert len(simulator.sends) == 1


@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize("kind", [500, 502, 503, 504, "reset", "hang", "html"])
def test_what_goes_wrong_goes_wrong_before_or_after_the_send_is_accepted(simulator, api, kind, accept):
    simulator.fault(kind, route="send", accept=accept, times=1)
    try:
        status = api.post("/Emails", json=emails(), timeout=0.3).status_code
    except httpx.TransportError:
        status = None

    assert status == {"html": 200}.get(kind, kind if isinstance(kind, int) else None)
    assert len(simulator.sends) == accept
    assert len(items(api)) == 3 * accept
    assert simulator.requests[0].status == status


@pytest.mark.parametrize("kind", ["slow", "truncated", "reset_body", "cut_json", "gzip"])
@pytest.mark.parametrize("accept", [False, True])
def test_an_answer_that_is_spoilt_belongs_to_one_send(simulator, api, kind, accept):
    simulator.fault(kind, route="send", seconds=0.05, accept=accept)
    with suppress(httpx.TransportError):
        api.post("/Emails", json=emails())

    assert len(simulator.sends) == 1


def test_a_connection_is_reset_while_the_body_is_on_its_way(simulator, api):
    simulator.fault("reset_request", route="send", times=1)
    with pytest.raises(httpx.TransportError):
        api.post("/Emails", json=emails(10_000))

    assert simulator.sends == ()
    with pytest.raises(FieldError, match="accept"):
        simulator.fault("reset_request", accept=True)


def test_a_send_is_throttled(simulator, api):
    simulator.fault(429, route="send", retry_after=2, times=1)
    first, second = (api.post("/Emails", json=emails()) for _ in range(2))

    assert (first.status_code, first.headers["Retry-After"], second.status_code) == (429, "2", 202)
    assert len(simulator.sends) == 1


def test_recipients_are_counted_however_often_they_were_sent(simulator, api, control):
    api.post("/Emails", json=emails(3))
    api.post("/Emails", json=emails(1))
    api.post("/Messages", json=messages(2))
    shown = control.get("/sends").json()

    assert simulator.accepted_recipients("emails") == {
        "reader0@example.com": 2,
        "reader1@example.com": 1,
        "reader2@example.com": 1,
    }
    assert {name: shown["emails"][name] for name in ("sends", "recipients", "distinct", "repeated")} == {
        "sends": 2,
        "recipients": 4,
        "distinct": 3,
        "repeated": {"reader0@example.com": 2},
    }
    assert [send["operation_id"] for send in shown["emails"]["recent"]] == [
        send.operation_id for send in simulator.sends[:2]
    ]
    assert control.get("/sends/recipients").json()["messages"] == {"+14155550000": 1, "+14155550001": 1}
    simulator.reset()
    assert control.get("/sends").json()["emails"]["sends"] == 0


@pytest.mark.parametrize("plan", [{"recipients": 5}, {"failed": 2}, {"speed": 1}])
def test_a_plan_of_sends_that_makes_no_sense_is_refused(plan):
    with pytest.raises(FieldError, match="send_plan"):
        Simulator(send_plan=plan)


def test_a_hundred_thousand_recipients_are_kept_small(simulator, api):
    body = json.dumps(emails(10_000)).encode()
    for _ in range(10):
        assert api.post("/Emails", content=body, headers={"Content-Type": "application/json"}).status_code == 202

    assert sum(len(send.packed) for send in simulator.sends) < 2_000_000
    assert set(simulator.accepted_recipients("emails").values()) == {10}
    assert len(items(api, pageSize=1)) == 1

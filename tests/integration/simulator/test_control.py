"""The control endpoint."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest


def test_health(simulator, control):
    simulator.add_operation("messages")
    simulator.fault(500)
    health = control.get("/health").json()

    assert health["status"] == "ok"
    assert health["operations"] == {"emails": 0, "messages": 1}
    assert health["faults"] == 1


def test_one_operation_or_many(control, api):
    one = control.post("/operations", json={"resource": "emails", "age": 60, "failed": 0.1}).json()["ids"]
    many = control.post("/operations", json=[{"resource": "messages", "read": 0.5}] * 2).json()["ids"]
    named = control.post("/operations", json={"resource": "emails", "operation_id": "mine"}).json()

    assert api.get(f"/Emails/Operations/{one[0]}").json()["stats"]["failed"] == 10
    assert len(set(many)) == 2
    assert named == {"ids": ["mine"]}


def test_an_operation_of_a_given_time(control, api):
    body = {"resource": "emails", "created_at": "2026-01-01T00:00:00+01:00", "ends_in": "CANCELED"}
    operation_id = control.post("/operations", json=body).json()["ids"][0]

    assert api.get(f"/Emails/Operations/{operation_id}").json()["createdAt"] == "2025-12-31T23:00:00.000Z"


def test_operations_change_and_go(control, api):
    mine = {"resource": "emails", "operation_id": "mine"}
    control.post("/operations", json=mine)
    control.post("/operations/change", json=mine | {"raw_status": "PAUSED"})

    assert api.get("/Emails/Operations/mine").json()["status"] == "PAUSED"
    assert control.post("/operations/remove", json=mine).status_code == 200
    assert api.get("/Emails/Operations/mine").status_code == 404


def test_seed(control, api):
    body = {"resource": "emails", "count": 3, "spread": 60, "until": "2026-01-01T00:01:00Z"}
    answer = control.post("/seed", json=body)
    listed = api.get("/Emails/Operations").json()["operations"]

    assert answer.json() == {"count": 3}
    assert [operation["createdAt"][14:19] for operation in listed] == ["01:00", "00:40", "00:20"]


def test_faults(control, api):
    control.post("/faults", json=[{"kind": 429, "retry_after": 3, "times": 1}, {"kind": "raw", "body_base64": "/w=="}])
    answers = [api.get("/Emails/Operations") for _ in range(2)]

    assert answers[0].headers["Retry-After"] == "3"
    assert answers[1].content == b"\xff"
    assert [fault["hits"] for fault in control.get("/faults").json()["faults"]] == [1, 1]
    control.delete("/faults")
    assert control.get("/faults").json() == {"faults": []}
    assert api.get("/Emails/Operations").status_code == 200


def test_requests(control, api):
    api.get("/Emails/Operations", params={"pageToken": "secret"})
    api.get("/Messages/Operations/x")
    log = control.get("/requests").json()

    assert log["by_route"] == {"emails.list": 1, "messages.fetch": 1}
    assert log["by_status"] == {"400": 1, "404": 1}
    assert log["max_in_flight"] == 1
    assert [request["status"] for request in log["recent"]] == [400, 404]
    assert "secret" not in str(log)
    control.delete("/requests")
    assert control.get("/requests").json()["total"] == 0


def test_clock(control):
    before = datetime.fromisoformat(control.get("/clock").json()["now"])
    after = datetime.fromisoformat(control.post("/clock", json={"advance": 3600}).json()["now"])

    assert 3600 <= (after - before).total_seconds() < 3610


def test_settings(control):
    assert control.post("/settings", json={"list_lag": 5}).json()["list_lag"] == 5
    assert control.post("/settings", json={"order": "oldest-first"}).json()["list_lag"] == 5


def test_permissions(simulator, control, api):
    body = {"credential": simulator.account_sid, "resource": "emails", "allowed": False}
    control.post("/permissions", json=body)

    assert api.get("/Emails/Operations").status_code == 403


def test_a_credential_is_revoked(simulator, control, api):
    control.post("/permissions/revoke", json={"credential": simulator.account_sid})

    assert api.get("/Emails/Operations").status_code == 401


def test_reset(simulator, control):
    simulator.seed("emails", 3)
    simulator.fault(500)
    control.post("/reset")

    health = control.get("/health").json()
    assert (health["operations"]["emails"], health["faults"]) == (0, 0)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/operations", "{", "body"),
        ("/operations", "3", "body"),
        ("/operations", '{"resource": "faxes"}', "resource"),
        ("/operations", '{"resource": "emails", "recipient": 3}', "recipient"),
        ("/operations", '{"resource": "emails", "plan": {"speed": 1}}', "speed"),
        ("/operations", '{"resource": "emails", "self": 1}', "self"),
        ("/operations", '{"resource": "emails", "age": "1"}', "age"),
        ("/operations", '{"resource": "emails", "age": 9e11}', "age"),
        ("/operations", '{"resource": "emails", "created_at": "today"}', "created_at"),
        ("/operations", '{"resource": "emails", "created_at": "2026-01-01T00:00:00"}', "created_at"),
        ("/operations", '{"resource": "emails", "created_at": "1969-01-01T00:00:00Z"}', "created_at"),
        ("/operations", '{"resource": "emails", "operation_id": 5}', "operation_id"),
        ("/operations", '[{"resource": "emails"}, {"resource": "emails", "failed": 2}]', "operations[1].failed"),
        ("/operations", '{"operations": 5}', "operations"),
        ("/operations/change", '{"resource": "emails", "operation_id": "none"}', "operation_id"),
        ("/operations/change", '{"resource": "emails", "operation_id": 5}', "operation_id"),
        ("/operations/remove", '{"resource": "emails"}', "operation_id"),
        ("/seed", '{"resource": "emails"}', "count"),
        ("/seed", '{"resource": "emails", "count": -1}', "count"),
        ("/seed", '{"resource": "emails", "count": 1, "spread": -1}', "spread"),
        ("/seed", '{"resource": "emails", "count": 1, "spread": 1e12}', "spread"),
        ("/clock", '{"advance": NaN}', "advance"),
        ("/clock", '{"advance": 1e308}', "advance"),
        ("/clock", '{"advance": %s}' % ("9" * 400), "advance"),
        ("/clock", '{"advance": %s}' % ("9" * 5000), "body"),
        ("/settings", '{"list_lag": 1e308}', "list_lag"),
        ("/settings", '{"list_lag": Infinity}', "list_lag"),
        ("/settings", '{"list_lag": -Infinity}', "list_lag"),
        ("/settings", '{"latency": 1e999}', "latency"),
        ("/settings", '{"rate_limit": NaN}', "rate_limit"),
        ("/settings", "[" * 100_000, "body"),
        ("/seed", '{"resource": "emails", "count": 1e3}', "count"),
        ("/seed", '{"resource": "emails", "count": 1000000000000}', "count"),
        ("/seed", '{"resource": "emails", "count": 1, "spread": 1e308}', "spread"),
        ("/seed", '{"resource": "emails", "count": 1, "until": "9999-12-31T23:59:59Z"}', "until"),
        ("/operations", '{"resource": "emails", "age": 1e308}', "age"),
        ("/operations", '{"resource": "emails", "created_at": "9999-12-31T23:59:59Z"}', "created_at"),
        ("/operations", '{"resource": "emails", "processing_for": 1e308}', "processing_for"),
        ("/operations", '{"resource": "emails", "recipients": 1e308}', "recipients"),
        ("/operations", '{"resource": "emails", "recipients": %s}' % ("9" * 400), "recipients"),
        ("/operations", '{"resource": "emails", "failed": NaN}', "failed"),
        ("/faults", '{"kind": "slow", "seconds": 1e308}', "seconds"),
        ("/faults", '{"kind": 1e308}', "kind"),
        ("/faults", '{"kind": 429, "retry_after": 1e308, "retry_after_form": "date"}', "retry_after"),
        ("/faults", '{"kind": 429, "times": 1e308}', "times"),
        ("/faults", '{"kind": "gzip", "padding": 1000000000000}', "padding"),
        ("/faults", '{"kind": "explode"}', "kind"),
        ("/faults", '[{"kind": 429, "times": 0}]', "faults[0].times"),
        ("/clock", "{}", "advance"),
        ("/clock", '{"advance": -5}', "advance"),
        ("/settings", '{"latency": "slow"}', "latency"),
        ("/settings", '{"speed": 1}', "speed"),
        ("/permissions", '{"credential": "x", "resource": "emails", "allowed": true}', "credential"),
        ("/permissions", '{"credential": "x", "resource": "emails", "allowed": 1}', "allowed"),
        ("/permissions/revoke", '{"credential": "x"}', "credential"),
        ("/permissions/revoke", "{}", "credential"),
    ],
)
def test_a_body_that_cannot_be_used_is_told_by_field(control, path, body, field):
    answer = control.post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["problem"]


def test_other_methods_and_paths(control):
    assert control.get("/operations").status_code == 405
    assert control.get("/nothing").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Host": "attacker.example:{port}"},
        {"Host": "127.0.0.1.attacker.example:{port}"},
        {"Host": "localhost@attacker.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1:99999"},
        {"Host": "127.0.0.1:x"},
        {"Host": "192.0.2.1:{port}"},
        {"Host": ""},
        {"Origin": "https://attacker.example"},
        {"Origin": "http://attacker.example:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/control/reset", "/v1/Emails/Operations"])
def test_nothing_is_done_for_a_foreign_page_or_a_foreign_name(simulator, path, headers):
    simulator.add_operation("emails")
    port = simulator.url.rpartition(":")[2]
    headers = {name: value.format(port=port) for name, value in headers.items()}
    answer = httpx.post(f"{simulator.url}{path}", json={}, headers=headers)

    assert answer.status_code == 403
    assert answer.json()["error"]["field"] == ("Host" if "Host" in headers else "Origin")
    assert httpx.get(f"{simulator.url}/control/health").json()["operations"]["emails"] == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize("body", ["{}", ""])
def test_a_form_cannot_be_posted(simulator, control, kind, body):
    simulator.add_operation("emails")
    answer = control.post("/reset", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 415
    assert control.get("/health").json()["operations"]["emails"] == 1


@pytest.mark.parametrize(
    "host", ["localhost:{port}", "LOCALHOST:{port}", "127.0.0.1:{port}", "127.1.2.3:{port}", "[::1]:{port}"]
)
def test_every_name_of_this_machine_is_good(simulator, host):
    host = host.format(port=simulator.url.rpartition(":")[2])
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}

    assert httpx.post(f"{simulator.url}/control/reset", headers=headers).status_code == 200

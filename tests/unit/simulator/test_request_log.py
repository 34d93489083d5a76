"""The request log and the rate limit."""

from __future__ import annotations

import time
from types import SimpleNamespace

from airflow_provider_comms.simulator.request_log import RateLimit, RequestLog, Target, log_entry, read_target

EMAILS = Target("emails", "list", None)


def entry(target=EMAILS, query=None, headers=None):
    request = SimpleNamespace(method="GET", path="/v1/Emails/Operations", query=query or {}, headers=headers or {})
    return log_entry(request, target)


def test_the_log_holds_no_secret():
    noted = entry(
        query={"pageToken": "+//+secret==", "pageSize": "5"}, headers={"authorization": "Basic x", "host": "h"}
    )

    assert noted.query["pageToken"].startswith("sha256:")
    assert noted.query["pageSize"] == "5"
    assert noted.headers == {"host": "h"}
    assert "secret" not in repr(noted)
    assert "Basic" not in repr(noted)


def test_equal_tokens_have_equal_digests():
    digests = [entry(query={"pageToken": token}).query["pageToken"] for token in ("a", "a", "b")]

    assert digests[0] == digests[1] != digests[2]


def test_counts_by_route_and_status_and_the_most_at_once():
    log, told = RequestLog(lambda request: told.append(request.status)), []
    first, second = entry(), entry(Target("messages", "fetch", "x"))
    with log.following(first):
        with log.following(second):
            second.status = 200
        assert log.counts()["in_flight"] == 1
    with log.following(entry(None)):
        pass

    assert log.counts() == {
        "total": 3,
        "in_flight": 0,
        "max_in_flight": 2,
        "by_route": {"emails.list": 1, "messages.fetch": 1, "unknown": 1},
        "by_status": {"200": 1, "none": 2},
    }
    assert log.all()[:2] == (first, second)
    assert told == [200, None, None]


def test_clearing_forgets_all_but_what_is_under_way():
    log = RequestLog()
    with log.following(entry()):
        log.clear()
        assert log.counts()["in_flight"] == log.counts()["max_in_flight"] == 1

    assert log.counts()["in_flight"] == 0
    assert log.all() == ()


def test_the_rate_limit_counts_any_second(monkeypatch):
    now, limit = [100.0], RateLimit()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    assert [limit.passes(2) for _ in range(3)] == [True, True, False]
    now[0] += 0.9
    assert not limit.passes(2)
    now[0] += 0.1
    assert [limit.passes(2) for _ in range(3)] == [True, True, False]
    assert limit.passes(None)


def test_targets():
    assert read_target("/v1/Emails/Operations") == ("emails", "list", None)
    assert read_target("/v1/Messages/Operations/x") == ("messages", "fetch", "x")
    assert read_target("/v1/Messages") == ("messages", "find", None)
    assert read_target("/v1/Emails", "POST") == ("emails", "send", None)
    for path in ("/v1/Emails/", "/v1/Emails/Operations/", "/v1/Emails/Operations/a/b", "/v1/emails/operations", "/"):
        assert read_target(path) is None

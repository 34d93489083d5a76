"""What is sent: paths, filters, tokens, credentials and names; the same by both clients."""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError, CommsProtocolError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOKENS = ["eyJhIjoxfQ==", "a+b/c+d/==", "a b&c=%2B?#", "x" * 3000]


@pytest.mark.parametrize("resource", ["emails", "messages"])
def test_fetches_one_operation(client, simulator, resource):
    operation_id = simulator.add_operation(resource, age=100)
    operation = client.get(resource, operation_id)
    assert operation.id == operation_id
    assert operation.resource == resource
    assert operation.is_terminal
    assert operation.stats.delivered == 100
    assert [request.path for request in simulator.requests] == [f"/v1/{resource.title()}/Operations/{operation_id}"]


def test_names_itself_and_what_it_takes(client, simulator, make_client, settings_for):
    operation_id = simulator.add_operation()
    client.get("emails", operation_id)
    make_client(settings_for(simulator, user_agent="airflow-provider-comms/1 Airflow/3")).get("emails", operation_id)
    default, given = (request.headers for request in simulator.requests)
    assert default["user-agent"].startswith("airflow-provider-comms/")
    assert given["user-agent"] == "airflow-provider-comms/1 Airflow/3"
    assert default["accept"] == "application/json"


def test_sends_its_credentials_as_basic(make_client, settings_for, raw_server, http, operation_json):
    server = raw_server(http(200, operation_json()))
    settings = settings_for(server, username="AC1", password="pä:ss")
    make_client(settings).get("emails", operation_json.id)
    sent = server.exchanges[0].header("authorization").removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == "AC1:pä:ss"


def test_a_base_url_with_a_path_keeps_it(make_client, settings_for, raw_server, http, operation_json):
    server = raw_server(http(200, operation_json()))
    make_client(settings_for(server, base_url=server.url + "/twilio/v1/")).get("emails", operation_json.id)
    assert server.exchanges[0].target == f"/twilio/v1/Emails/Operations/{operation_json.id}"


def test_connections_are_used_again(make_client, settings_for, raw_server, http, operation_json):
    server = raw_server(http(200, operation_json()))
    client = make_client(settings_for(server))
    for _ in range(5):
        client.get("emails", operation_json.id)
    assert server.accepted == 1


def test_filters_and_tokens_arrive_intact_with_every_request(make_client, settings_for, raw_server, http):
    def page(exchange) -> None:
        following = [*TOKENS, None][exchange.number - 1]
        exchange.send(http(200, json.dumps({"operations": [], "pagination": {"next": following}}).encode()))

    server = raw_server(page)
    client = make_client(settings_for(server))
    assert client.list("emails", start_date=NOON, end_date=NOON + timedelta(1), status="CANCELED", page_size=7) == []
    sent = [dict(parse_qsl(urlsplit(exchange.target).query, strict_parsing=True)) for exchange in server.exchanges]
    assert [query.pop("pageToken", None) for query in sent] == [None, *TOKENS]
    # A second wider than asked for: whether the API's bounds are inclusive is not promised.
    filters = {"startDate": "2026-11-20T11:59:59Z", "endDate": "2026-11-21T12:00:01Z"}
    assert sent == [filters | {"status": "CANCELED", "pageSize": "7"}] * 5


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(*, client, simulator, raw_server, http, operation_json, status):
    elsewhere = raw_server(http(200, operation_json()))
    simulator.fault("redirect", status=status, location=elsewhere.url)
    with pytest.raises(CommsProtocolError, match="redirect"):
        client.get("emails", operation_json.id)
    assert elsewhere.exchanges == []
    assert len(simulator.requests) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"resource": "sms"},
        {"page_size": 0},
        {"limit": 0},
        {"parallel": 99},
        {"status": "DONE"},
        {"start_date": NOON.replace(tzinfo=None)},
        {"end_date": NOON.date()},
        {"start_date": NOON, "end_date": NOON},
    ],
    ids=str,
)
def test_a_bad_filter_is_refused_at_the_call_before_any_request(client, simulator, arguments):
    with pytest.raises(CommsArgumentError, match=next(iter(arguments))):
        client.begin_listing(**({"resource": "emails"} | arguments))
    assert simulator.requests == ()


@pytest.mark.parametrize("operation_id", ["", "..", "a/b", "a?b", "%2f", " ", "a\nb", None, 5, "None"], ids=repr)
def test_a_bad_id_is_refused_before_any_request(client, simulator, operation_id):
    with pytest.raises(CommsArgumentError, match="operation_id="):
        client.get("emails", operation_id)
    assert isinstance(client.try_many("emails", [operation_id])[operation_id], CommsArgumentError)
    assert simulator.requests == ()


def test_fetching_several_gives_each_its_operation_or_its_error(client, simulator):
    good = [simulator.add_operation() for _ in range(30)]
    found = client.try_many("emails", [good[0], "nothing-here", *good, "a/b"])
    assert list(found) == [good[0], "nothing-here", *good[1:], "a/b"]
    assert [found[one].id for one in good] == good
    assert type(found["nothing-here"]).__name__ == "CommsNotFoundError"
    assert type(found["a/b"]).__name__ == "CommsArgumentError"
    assert len(simulator.requests) == 31


def test_fetching_none_asks_nothing(client, simulator):
    assert client.try_many("emails", []) == {}
    assert simulator.requests == ()


@pytest.mark.parametrize("most", [1, 5])
def test_no_more_requests_in_flight_than_allowed(make_client, settings_for, simulator, most):
    simulator.change_settings(latency=0.01)
    ids = [simulator.add_operation() for _ in range(40)]
    client = make_client(settings_for(simulator, max_in_flight=most))
    client.try_many("emails", ids)
    client.side_by_side(ids[:20])
    assert simulator.request_counts()["max_in_flight"] == most
    assert simulator.request_counts()["total"] == 60


def test_no_request_leaves_a_line_in_a_log_and_other_users_of_the_http_library_keep_theirs(client, simulator, caplog):
    caplog.set_level(logging.INFO, "httpx")
    simulator.seed("emails", 20)

    assert len(client.list("emails", page_size=10)) == 20
    assert not [record for record in caplog.records if record.name == "httpx"]

    httpx.get(f"{simulator.url}/control/health", trust_env=False)
    assert [record.name for record in caplog.records if record.name == "httpx"] == ["httpx"]

"""A send is found again by its tag; what cannot be told is never taken for "not sent"."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_comms.comms.errors import (
    CommsArgumentError,
    CommsPermissionError,
    CommsProtocolError,
    CommsServerError,
    CommsUnreachableError,
)
from airflow_provider_comms.comms.sending.requests import MessageSend
from airflow_provider_comms.comms.sending.search import MAX_PAGES, MAX_PROBES

ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
TAG = "airflow.send:1f0c"
TAGS = {"airflow.send": "1f0c", "airflow.body": "aa"}


@pytest.fixture
def message():
    def make(**tags):
        return MessageSend(to=["+14155550100", "+14155550101"], text="Hello", tags={"airflow.send": "1f0c"} | tags)

    return make


@pytest.fixture
def told(make_client, settings_for, raw_server, http):
    """Look up in lists that are made up; return the sighting and the queries."""

    def look(*pages, resource="emails", since=None, **changes):
        def answer(exchange):
            page = pages[exchange.number - 1] if exchange.number <= len(pages) else pages[-1]
            exchange.send(page if isinstance(page, bytes) else http(200, json.dumps(page).encode()))

        server = raw_server(answer)
        sighting = make_client(settings_for(server, **changes)).find(resource, TAG, since=since)
        targets = [urlsplit(exchange.target) for exchange in server.exchanges]
        return sighting, [(target.path, parse_qs(target.query)) for target in targets]

    return look


def page(*items, key="emails", following=None):
    return {key: [*items], "pagination": {"next": following, "self": "x"}}


def item(tags=TAGS, **fields):
    return {
        "tags": tags,
        "to": [{"address": "canary@example.com"}],
        "related": [],
        "createdAt": "2026-11-20T10:00:00Z",
    } | fields


# -- In the simulator ---------------------------------------------------------------------------------------------


def test_a_message_names_its_operation(client, simulator, message):
    sent = client.send(message(**{"airflow.body": "aa"}))
    client.send(MessageSend(to=["+14155550100"], text="Hello", tags={"airflow.send": "other"}))
    sighting = client.find("messages", TAG)
    assert (sighting.found, sighting.operation_ids) == (True, (sent.operation_id,))
    assert sighting.tags == TAGS
    assert sighting.error is None


def test_an_emails_operation_is_found_among_those_of_its_time(client, simulator, email):
    before = [client.send(email(tags={"airflow.send": f"other{n}"})) for n in range(3)]
    sent = client.send(email(tags=TAGS))
    client.send(email())
    assert sent.operation_id not in {one.operation_id for one in before}
    sighting = client.find("emails", TAG)
    assert (sighting.found, sighting.operation_ids, sighting.tags) == (True, (sent.operation_id,), TAGS)


@pytest.mark.parametrize("tag", ["airflow.send:1f0d", "airflow.sent:1f0c"])
def test_what_was_not_sent_is_not_found(client, email, tag):
    client.send(email(tags=TAGS))
    assert client.find("emails", tag).found is False
    assert client.find("messages", TAG).found is False


def test_what_was_sent_earlier_is_not_looked_for(client, simulator, email):
    client.send(email(tags=TAGS))
    simulator.advance(3600)
    assert client.find("emails", TAG, since=simulator.now - timedelta(hours=2)).found is True
    assert client.find("emails", TAG, since=simulator.now - timedelta(minutes=5)).found is False


def test_a_list_that_lags_behind_does_not_show_it_yet(client, simulator, email):
    simulator.change_settings(item_lag=60)
    client.send(email(tags=TAGS))
    assert client.find("emails", TAG).found is False
    simulator.advance(61)
    assert client.find("emails", TAG).found is True


def test_a_look_up_that_is_refused_tells_nothing(client, simulator, email):
    client.send(email(tags=TAGS))
    simulator.fault(403, route="find", times=99)
    sighting = client.find("emails", TAG)
    assert sighting.found is None
    assert type(sighting.error) is CommsPermissionError


def test_a_look_up_is_tried_again_like_any_other_request(client, simulator, email):
    client.send(email(tags=TAGS))
    simulator.fault(503, route="find", times=2)
    assert client.find("emails", TAG).found is True


# -- In lists that are made up ----------------------------------------------------------------------------------------


def test_the_question_is_the_one_that_the_api_documents(told):
    _, [(path, query)] = told(page(), since="2026-11-20T10:00:01+01:00")
    assert path == "/v1/Emails"
    assert query == {"tags": ["airflow.send:1f0c;"], "startDate": ["2026-11-20T09:00:00Z"], "pageSize": ["50"]}


def test_an_operation_that_an_email_does_name_is_not_searched_for(told):
    related = [{"name": "MESSAGE", "id": "x"}, "odd", {"name": "OPERATION", "id": ID}, {"name": "OPERATION"}]
    sighting, requests = told(page(item(related=related)))
    assert sighting.operation_ids == (ID,)
    assert len(requests) == 1


def test_one_of_twilios_guides_calls_the_list_data(told):
    assert told(page(item(), key="data"))[0].found is True


def test_pages_may_be_empty_although_others_follow(told):
    sighting, requests = told(
        page(following="a"), page(following="b"), page(item(related=[{"name": "OPERATION", "id": ID}]))
    )
    assert sighting.found is True
    assert [query.get("pageToken") for _, query in requests] == [None, ["a"], ["b"]]
    assert all(query["tags"] == ["airflow.send:1f0c;"] for _, query in requests)


def test_empty_pages_without_end_tell_nothing(told):
    sighting, requests = told(page(following="a"))
    assert sighting.found is None
    assert type(sighting.error) is CommsProtocolError
    assert len(requests) == MAX_PAGES


@pytest.mark.parametrize("tags", [{}, None, {"airflow.send": "other"}, {"airflow.send": 5}, ["airflow.send"]])
def test_an_api_that_does_not_filter_tells_nothing(told, tags):
    sighting, _ = told(page(item(tags=tags)))
    assert sighting.found is None
    assert "does not filter by tags" in sighting.error.message


def test_an_api_that_does_not_filter_may_show_it_all_the_same(told):
    named = [{"name": "OPERATION", "id": ID}]
    sighting, _ = told(page(item(tags={}), following="a"), page(item(tags={}), item(related=named)))
    assert (sighting.found, sighting.operation_ids) == (True, (ID,))


@pytest.mark.parametrize("odd", [{"emails": None}, {"emails": {}}, [], {}, "x"])
def test_what_is_no_list_tells_nothing(told, odd):
    sighting, _ = told(odd)
    assert sighting.found is None
    assert type(sighting.error) is CommsProtocolError


def test_no_response_tells_nothing(told, http):
    sighting, _ = told(http(500), attempts=1)
    assert sighting.found is None
    assert type(sighting.error) is CommsServerError
    assert "canary" not in repr(sighting)


def test_found_although_its_operation_cannot_be_searched_for(told, http):
    sighting, _ = told(page(item()), http(403))
    assert (sighting.found, sighting.operation_ids, sighting.tags) == (True, (), TAGS)
    assert type(sighting.error) is CommsPermissionError


@pytest.mark.parametrize("created", [None, "yesterday", 5, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_found_although_nobody_knows_when_it_was_created(told, created):
    sighting, requests = told(page(item(createdAt=created)))
    assert (sighting.found, sighting.operation_ids, sighting.error) == (True, (), None)
    assert len(requests) == 1


def test_no_more_than_so_many_operations_are_asked_and_the_nearest_first(told):
    operations = [operation(n) for n in range(MAX_PROBES + 10)]
    sighting, requests = told(page(item()), {"operations": operations, "pagination": {}}, page())
    assert (sighting.found, sighting.operation_ids) == (True, ())
    asked = [query["operationId"][0] for path, query in requests if path == "/v1/Emails" and "operationId" in query]
    assert asked == [operation(n)["id"] for n in range(MAX_PROBES)]
    assert requests[1][0] == "/v1/Emails/Operations"


def operation(minutes_before):
    created = datetime(2026, 11, 20, 10, tzinfo=UTC) - timedelta(minutes=minutes_before)
    return {
        "id": f"comms_operation_{minutes_before:026}",
        "status": "COMPLETED",
        "stats": {},
        "createdAt": created.isoformat(),
        "updatedAt": created.isoformat(),
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("emails", "airflow.send"),
        ("emails", "a:b;c:d"),
        ("emails", "a b:c"),
        ("emails", ":c"),
        ("emails", "a:" + "b" * 257),
        ("emails", None),
        ("e-mails", TAG),
        ("emails", TAG, "yesterday"),
        ("emails", TAG, datetime(2026, 11, 20)),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_looked_for_is_refused(client, simulator, arguments):
    with pytest.raises(CommsArgumentError):
        client.find(*arguments)
    assert simulator.requests == ()


def test_it_is_known_where_the_api_cannot_be_reached(make_client, settings_for, raw_server):
    client = make_client(settings_for(raw_server(b""), base_url="http://no-such-host.invalid", attempts=1))
    sighting = client.find("emails", TAG)
    assert sighting.found is None
    assert type(sighting.error) is CommsUnreachableError

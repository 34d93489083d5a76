"""The API over HTTP: who may ask, what a listing shows, and how an operation goes on."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from airflow_provider_comms.simulator import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_API_KEY_SECRET,
    DEFAULT_API_KEY_SID,
    Simulator,
)

PATHS = {"emails": "/Emails/Operations", "messages": "/Messages/Operations"}
UNKNOWN = "comms_operation_01h9krwprkeee8fzqspvwy6nq9"


def everything(api, path="/Emails/Operations", most=50, **query):
    """The ids on every page of a listing, page by page."""
    pages, token = [], None
    while len(pages) < most:
        body = api.get(path, params=query | ({"pageToken": token} if token else {})).json()
        pages.append([operation["id"] for operation in body["operations"]])
        token = body["pagination"].get("next")
        if token is None:
            break
    return pages


def test_the_account_and_the_api_key_may_ask(simulator):
    for user in ((simulator.account_sid, simulator.auth_token), (DEFAULT_API_KEY_SID, DEFAULT_API_KEY_SECRET)):
        assert httpx.get(f"{simulator.url}/v1/Emails/Operations", auth=user).status_code == 200


@pytest.mark.parametrize("auth", [None, (DEFAULT_ACCOUNT_SID, "wrong"), ("AC0", "simulated-auth-token")])
def test_nobody_else_may(simulator, auth):
    answer = httpx.get(f"{simulator.url}/v1/Emails/Operations", auth=auth)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.json() == {
        "code": 20003,
        "message": "Authentication Error - invalid username",
        "more_info": "https://www.twilio.com/docs/api/errors/20003",
        "status": 401,
    }


def test_a_credential_without_permission_is_told_so(simulator, api):
    simulator.permit(simulator.account_sid, "emails", allowed=False)

    refused = api.get("/Emails/Operations")
    assert (refused.status_code, refused.json()["code"], refused.json()["status"]) == (403, 70051, 403)
    assert api.get("/Messages/Operations").status_code == 200
    simulator.permit(simulator.account_sid, "emails")
    assert api.get("/Emails/Operations").status_code == 200


def test_a_credential_that_was_revoked_is_not_accepted_until_the_reset(simulator, api):
    simulator.revoke(simulator.account_sid)
    assert api.get("/Emails/Operations").status_code == 401
    simulator.reset()
    assert api.get("/Emails/Operations").status_code == 200


@pytest.mark.parametrize("resource", PATHS)
def test_an_operation_belongs_to_one_resource(simulator, api, resource):
    operation_id = simulator.add_operation(resource)
    other = PATHS["messages" if resource == "emails" else "emails"]

    assert api.get(f"{PATHS[resource]}/{operation_id}").json()["id"] == operation_id
    assert api.get(f"{other}/{operation_id}").status_code == 404


def test_an_unknown_operation(api):
    answer = api.get(f"/Emails/Operations/{UNKNOWN}")

    assert answer.status_code == 404
    assert answer.json() == {
        "errors": [
            {
                "code": 20404,
                "message": "The resource was not found.",
                "infoUrl": "https://www.twilio.com/docs/api/errors/20404",
                "context": "null",
            }
        ]
    }


def test_every_answer_has_a_request_id_of_its_own(simulator, api):
    simulator.fault(502, times=1)
    answers = [api.get("/Emails/Operations"), api.get("/Emails/Operations"), api.get("/nothing"), api.post("/Emails")]
    ids = [answer.headers["Twilio-Request-Id"] for answer in answers]

    assert [answer.status_code for answer in answers] == [502, 200, 404, 400]
    assert all(re.fullmatch("RQ[0-9a-f]{32}", given) for given in ids)
    assert len(set(ids)) == 4


def test_only_reading_is_allowed(api):
    answer = api.post("/Emails/Operations")

    assert (answer.status_code, answer.headers["Allow"], answer.json()["code"]) == (405, "GET", 20004)


def test_an_operation_goes_on_as_the_clock_does():
    with Simulator(frozen=True, start=datetime(2026, 1, 1, tzinfo=UTC)) as simulator:
        operation_id = simulator.add_operation("messages", scheduled_for=5, processing_for=10, recipients=10, read=0.5)
        url = f"{simulator.url}/v1/Messages/Operations/{operation_id}"
        seen = []
        for _ in range(4):
            seen.append(httpx.get(url, auth=(simulator.account_sid, simulator.auth_token)).json())
            simulator.advance(5)

    assert [operation["status"] for operation in seen] == ["SCHEDULED", "PROCESSING", "PROCESSING", "COMPLETED"]
    assert [operation["stats"]["delivered"] for operation in seen] == [0, 0, 5, 10]
    assert [operation["stats"]["read"] for operation in seen] == [0, 0, 2, 5]
    assert [operation["updatedAt"][14:19] for operation in seen] == ["00:00", "00:05", "00:10", "00:15"]


def test_a_bad_query_names_every_problem(api):
    answer = api.get(
        "/Messages/Operations", params={"pageSize": 0, "status": "DONE", "startDate": "x", "pageToken": "y"}
    )
    contexts = [error["context"] for error in answer.json()["errors"]]

    assert answer.status_code == 400
    assert sorted(contexts) == ["$.pageSize", "$.startDate", "$.status"]


def test_a_listing_in_pages(simulator, api):
    simulator.seed("emails", 120)

    assert [len(page) for page in everything(api)] == [50, 50, 20]
    assert [len(page) for page in everything(api, pageSize=60)] == [60, 60]
    assert [len(page) for page in everything(api, "/Messages/Operations")] == [0]


def test_a_listing_by_status_sees_the_state_of_the_moment(simulator, api):
    simulator.seed("emails", 2)
    running = simulator.add_operation("emails", processing_for=60)

    assert everything(api, status="PROCESSING") == [[running]]
    simulator.advance(60)
    assert everything(api, status="PROCESSING") == [[]]
    assert running in everything(api, status="COMPLETED")[0]


def test_a_misspelt_filter_is_ignored(simulator, api):
    simulator.seed("emails", 3)

    assert len(everything(api, state="CANCELED")[0]) == 3


@pytest.mark.parametrize(("inclusive", "kept"), [(False, [1]), (True, [0, 1, 2])])
def test_date_bounds(inclusive, kept):
    with Simulator(inclusive_bounds=inclusive, order="oldest-first") as simulator:
        moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
        ids = [simulator.add_operation("emails", created_at=moment) for moment in moments]
        with httpx.Client(base_url=f"{simulator.url}/v1", auth=(simulator.account_sid, simulator.auth_token)) as api:
            query = {"startDate": moments[0].isoformat(), "endDate": moments[-1].isoformat()}
            assert everything(api, **query) == [[ids[place] for place in kept]]


def test_a_token_is_refused_with_other_filters(simulator, api):
    simulator.seed("emails", 3)
    query = {"pageSize": 1, "status": "COMPLETED"}
    token = api.get("/Emails/Operations", params=query).json()["pagination"]["next"]

    assert set("+/=") <= set(token)
    assert api.get("/Emails/Operations", params=query | {"pageToken": token}).status_code == 200
    assert api.get("/Emails/Operations", params={"pageToken": token}).status_code == 400
    assert api.get("/Messages/Operations", params=query | {"pageToken": token}).status_code == 400


def test_the_token_of_a_page_itself_gives_that_page_again(simulator, api):
    simulator.seed("emails", 3)
    page = api.get("/Emails/Operations", params={"pageSize": 2}).json()
    again = api.get("/Emails/Operations", params={"pageSize": 2, "pageToken": page["pagination"]["self"]}).json()

    assert again == page


def test_the_quirk_of_no_next(simulator, api):
    assert api.get("/Emails/Operations").json()["pagination"]["next"] is None
    simulator.change_settings(omit_next=True)
    assert "next" not in api.get("/Emails/Operations").json()["pagination"]


def test_the_quirk_of_a_loop(simulator, api):
    simulator.seed("emails", 3)
    simulator.change_settings(loop_tokens=True)
    pages = everything(api, pageSize=1, most=5)

    assert len(pages) == 5
    assert pages[1] == pages[2] == pages[3]


def test_the_quirk_of_empty_pages(simulator, api):
    simulator.seed("emails", 3)
    simulator.change_settings(empty_pages=True)

    assert [len(page) for page in everything(api, pageSize=2, status="COMPLETED")] == [0, 2, 0, 1]


def test_the_quirk_of_endless_pages(simulator, api):
    simulator.seed("emails", 3)
    simulator.change_settings(endless_pages=True)
    pages, tokens, token = [], [], None
    for _ in range(8):
        body = api.get("/Emails/Operations", params={"pageSize": 2} | ({"pageToken": token} if token else {})).json()
        pages.append(len(body["operations"]))
        tokens.append(token := body["pagination"]["next"])

    assert pages == [2, 1, 0, 0, 0, 0, 0, 0]
    assert len(set(tokens)) == 8


def test_operations_count_either_way(simulator, api):
    fields = {"age": 60, "recipients": 10, "opened": 0.6}
    simulator.add_operation("emails", **fields)
    simulator.change_settings(counters="exclusive")
    simulator.add_operation("emails", **fields | {"age": 50})
    simulator.add_operation("emails", **fields | {"age": 40, "counters": "cumulative"})
    listed = [operation["stats"] for operation in api.get("/Emails/Operations").json()["operations"]]

    assert [[stats[name] for name in ("sent", "delivered", "opened")] for stats in reversed(listed)] == [
        [10, 10, 6],
        [0, 4, 6],
        [10, 10, 6],
    ]


def test_the_quirk_of_cookies(simulator, api):
    simulator.change_settings(cookies=True)
    answers = [api.get("/Emails/Operations") for _ in range(3)]
    first, *_, last = simulator.requests

    assert len({answer.headers["Set-Cookie"] for answer in answers}) == 3
    assert "cookie" not in first.headers
    assert last.headers["cookie"].count("session-RQ") == 2
    assert last.head_size - first.head_size > 400


def test_the_quirk_of_a_lagging_list(simulator, api):
    simulator.change_settings(list_lag=30)
    operation_id = simulator.add_operation("emails", processing_for=10)

    assert everything(api) == [[]]
    simulator.advance(32)
    assert api.get("/Emails/Operations").json()["operations"][0]["status"] == "PROCESSING"
    assert api.get(f"/Emails/Operations/{operation_id}").json()["status"] == "COMPLETED"


def test_the_rate_limit(simulator, api):
    simulator.change_settings(rate_limit=2)
    answers = [api.get("/Emails/Operations") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "1"


def test_latency_and_how_many_were_at_work_at_once(simulator, api):
    simulator.change_settings(latency=0.2)
    threads = [threading.Thread(target=api.get, args=("/Emails/Operations",)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert simulator.request_counts()["max_in_flight"] == 5
    assert all(0.2 <= request.seconds < 1 for request in simulator.requests)


def test_the_log_of_requests(simulator, api):
    operation_id = simulator.add_operation("emails")
    api.get(f"/Emails/Operations/{operation_id}", headers={"User-Agent": "me/1"})
    api.get("/Emails/Operations", params={"pageToken": "secret+/="})
    fetch, listing = simulator.requests

    assert (fetch.method, fetch.route, fetch.operation_id, fetch.status) == ("GET", "fetch", operation_id, 200)
    assert fetch.headers["user-agent"] == "me/1"
    assert listing.status == 400
    assert "secret" not in repr(simulator.requests)
    assert "Basic" not in repr(simulator.requests)
    assert simulator.auth_token not in repr(simulator)


def test_operations_change_and_go(simulator, api):
    operation_id = simulator.add_operation("emails", raw_status="PAUSED", age=60)
    url = f"/Emails/Operations/{operation_id}"

    assert api.get(url).json()["status"] == "PAUSED"
    simulator.change_operation("emails", operation_id, ends_in="CANCELED")
    assert api.get(url).json()["status"] == "CANCELED"
    simulator.remove_operation("emails", operation_id)
    assert api.get(url).status_code == 404


@pytest.mark.parametrize(
    "odd",
    [
        {"raw_fields": {"createdAt": "0001-01-01T00:00:00Z"}},
        {"raw_fields": {"updatedAt": None}},
        {"raw_fields": {"stats": {"sent": "many"}, "status": 5}},
        {"omit_fields": ["id"]},
        {"raw_fields": {"id": "another"}},
    ],
)
def test_an_odd_operation_is_odd_in_lists_and_by_itself(simulator, api, odd):
    simulator.seed("emails", 2, spread=60, until=simulator.now - timedelta(minutes=30))
    operation_id = simulator.add_operation("emails", age=600, **odd)
    listed, *others = api.get("/Emails/Operations").json()["operations"]

    assert listed == api.get(f"/Emails/Operations/{operation_id}").json()
    assert odd.get("raw_fields", {}).items() <= listed.items()
    assert not set(odd.get("omit_fields", ())) & listed.keys()
    assert [operation["status"] for operation in others] == ["COMPLETED"] * 2


@pytest.mark.parametrize("text", ["null", "5", "[]", '{"id": 1, "id": 2}', '"x"'])
def test_an_operation_may_be_any_json(simulator, api, text):
    operation_id = simulator.add_operation("emails", raw_json=text)

    assert api.get(f"/Emails/Operations/{operation_id}").text == text
    assert f'{{"operations":[{text}]' in api.get("/Emails/Operations").text


@pytest.mark.parametrize("age", [0, 60])
def test_a_list_may_show_an_operation_otherwise_than_it_is(simulator, api, age):
    operation_id = simulator.add_operation("emails", age=age, list_fields={"status": "CANCELED", "updatedAt": None})
    (listed,) = api.get("/Emails/Operations").json()["operations"]
    fetched = api.get(f"/Emails/Operations/{operation_id}").json()

    assert (listed["id"], listed["status"], listed["updatedAt"]) == (operation_id, "CANCELED", None)
    assert fetched["status"] in ("PROCESSING", "COMPLETED")


def test_an_operation_may_be_missing_from_lists(simulator, api):
    hidden = [simulator.add_operation("emails", listed=False) for _ in range(3)]
    shown = simulator.add_operation("emails")

    assert everything(api, pageSize=1) == everything(api) == everything(api, status="PROCESSING") == [[shown]]
    assert [api.get(f"/Emails/Operations/{one}").status_code for one in hidden] == [200] * 3


def test_reset_leaves_nothing(simulator, api):
    simulator.seed("emails", 3)
    simulator.fault(500)
    simulator.change_settings(latency=0.1)
    api.get("/Emails/Operations")
    simulator.reset()

    assert everything(api) == [[]]
    assert len(simulator.requests) == 1
    assert simulator.settings.latency == 0


def test_a_large_listing_at_full_page_size(simulator, api):
    simulator.seed("messages", 20_000)
    pages = everything(api, "/Messages/Operations", pageSize=1000)

    assert len(pages) == 20
    assert len({operation_id for page in pages for operation_id in page}) == 20_000

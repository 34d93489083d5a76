"""Every answer of the simulator, over real HTTP, against the contract file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from airflow_provider_comms.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EMAILS, EMAIL = "GET /Emails/Operations", "GET /Emails/Operations/{operationId}"
MESSAGES, MESSAGE = "GET /Messages/Operations", "GET /Messages/Operations/{operationId}"
FIND_EMAILS, FIND_MESSAGES = "GET /Emails", "GET /Messages"
SEND_EMAILS, SEND_MESSAGES = "POST /Emails", "POST /Messages"
LISTS, FETCHES = (EMAILS, MESSAGES), (EMAIL, MESSAGE)
FINDS, SENDS = (FIND_EMAILS, FIND_MESSAGES), (SEND_EMAILS, SEND_MESSAGES)
ALL = LISTS + FETCHES + FINDS + SENDS
A_DAY, NEXT_DAY = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00+01:00"

BODIES: dict[str, dict[str, Any]] = {
    "emails": {
        "from": {"address": "news@example.com", "name": "News"},
        "to": [{"address": "ada@example.com", "name": "Ada"}, {"address": "bob@example.com"}],
        "content": {"subject": "Hello", "html": "<p>Hello</p>"},
        "tags": {"campaign": "spring"},
    },
    "messages": {
        "to": [
            {"address": "+14155550001", "channel": "PHONE"},
            {"addresses": [{"address": "+14155550001", "channel": "WHATSAPP"}]},
            {"profileId": "mem_profile_" + "0" * 26, "memoryStoreId": "mem_store_" + "0" * 26},
        ],
        "content": {"text": "Hello"},
        "tags": {"campaign": "spring"},
    },
}


def resource_of(path: str) -> str:
    return "emails" if "Emails" in path else "messages"


@dataclass
class Case:
    """One request and the status it is to get.

    :param path: the method and the path.
    :param prepare: what to do to the simulator first.
    :param body: the body of a send.
    """

    name: str
    path: str
    status: int
    query: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Simulator], object] = lambda simulator: None
    operation_id: str | None = None
    auth: tuple[str, str] | None = None
    body: Any = None

    def __str__(self) -> str:
        return f"{self.path.replace(' /', ' ').replace('/', '.')}-{self.status}-{self.name}"


def _states() -> list[Case]:
    plans = {
        "scheduled": {"scheduled_for": 60},
        "processing": {"age": 5, "processing_for": 10, "failed": 0.1, "opened": 0.5},
        "completed": {"age": 60, "undelivered": 0.1, "opened": 0.5},
        "canceled": {"age": 60, "ends_in": "CANCELED", "delivered": 0.4},
        "opening": {"age": 15, "opening_for": 60, "opened": 0.9},
        "no recipients": {"age": 60, "recipients": 0},
    }
    return [
        Case(name, path, 200, prepare=lambda simulator, path=path, plan=plan: _add(simulator, path, plan))
        for path in LISTS + FETCHES
        for name, plan in plans.items()
    ]


def _add(simulator: Simulator, path: str, plan: dict[str, Any]) -> None:
    simulator.add_operation(resource_of(path), operation_id=KNOWN, **plan)


KNOWN = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
UNKNOWN = "comms_operation_01h9krwprkeee8fzqspvwy6nq9"

GOOD_QUERIES = [
    {"startDate": A_DAY},
    {"endDate": NEXT_DAY},
    {"startDate": A_DAY, "endDate": NEXT_DAY},
    {"status": "COMPLETED"},
    {"status": "SCHEDULED"},
    {"pageSize": 1},
    {"pageSize": 1000},
    {"pageToken": "given"},
    {"misspelt": "ignored"},
]
BAD_QUERIES = [
    {"startDate": "yesterday"},
    {"startDate": "2026-01-01T00:00:00"},
    {"endDate": "2026-02-30T00:00:00Z"},
    {"status": "completed"},
    {"pageSize": 0},
    {"pageSize": 1001},
    {"pageSize": "ten"},
    {"pageToken": "made up"},
]


ITEM_QUERIES = [{"operationId": KNOWN}, {"tags": "campaign:spring;"}, {"tags": "a:b;c:d;"}, {"status": "DELIVERED"}]
MESSAGE_QUERIES = [
    {"channel": "SMS"},
    {"profile": "mem_profile_" + "0" * 26},
    {"sessionId": "comms_session_" + "0" * 26},
    {"startDate": A_DAY, "endDate": NEXT_DAY},
]
BAD_ITEM_QUERIES = [
    {"operationId": "nonsense"},
    {"tags": "campaign:spring"},
    {"tags": "a:b;" * 11},
    {"status": "COMPLETED"},
]
BAD_MESSAGE_QUERIES = [
    {"channel": "PHONE"},
    {"profile": "x"},
    {"sessionId": "x"},
    {"startDate": NEXT_DAY, "endDate": A_DAY},
    {"startDate": A_DAY, "endDate": A_DAY},
]


def _good_finds() -> list[tuple[str, dict[str, Any]]]:
    shared = [query for query in GOOD_QUERIES if "status" not in query] + ITEM_QUERIES
    return [(path, query) for path in FINDS for query in shared] + [(FIND_MESSAGES, query) for query in MESSAGE_QUERIES]


def _bad_finds() -> list[tuple[str, dict[str, Any]]]:
    shared = BAD_QUERIES + BAD_ITEM_QUERIES
    return [(path, query) for path in FINDS for query in shared] + [
        (FIND_MESSAGES, query) for query in BAD_MESSAGE_QUERIES
    ]


def _send(simulator: Simulator, path: str) -> None:
    url, auth = f"{simulator.url}/v1/{resource_of(path).title()}", (simulator.account_sid, simulator.auth_token)
    httpx.post(url, json=BODIES[resource_of(path)], auth=auth)


def _exhaust(simulator: Simulator) -> None:
    simulator.change_settings(rate_limit=1)
    httpx.get(f"{simulator.url}/v1/Emails/Operations")


CASES = [
    *_states(),
    *(
        Case(f"{query}", path, 200, query, lambda simulator, path=path: simulator.seed(resource_of(path), 3))
        for path in LISTS
        for query in GOOD_QUERIES
    ),
    *(
        Case(f"{query}", path, 200, query, lambda simulator, path=path: _send(simulator, path))
        for path, query in _good_finds()
    ),
    *(Case("empty", path, 200) for path in LISTS + FINDS),
    *(Case(f"{query}", path, 400, query) for path in LISTS for query in BAD_QUERIES),
    *(Case(f"{query}", path, 400, query) for path, query in _bad_finds()),
    Case("dates the wrong way round", FIND_EMAILS, 200, {"startDate": NEXT_DAY, "endDate": A_DAY}),
    *(Case("a send", path, 202) for path in SENDS),
    *(Case(f"{body!r}", path, 400, body=body) for path in SENDS for body in ([], {"to": [{}], "content": 3}, "text")),
    *(Case("dates the wrong way round", path, 200, {"startDate": NEXT_DAY, "endDate": A_DAY}) for path in LISTS),
    *(
        Case("malformed", path, 400, prepare=lambda s: s.change_settings(strict_ids=True), operation_id="nonsense")
        for path in FETCHES
    ),
    *(Case("unknown", path, 404, operation_id=UNKNOWN) for path in FETCHES),
    *(Case("malformed", path, 404, operation_id="nonsense") for path in FETCHES),
    *(Case("wrong password", path, 401, auth=("AC" + "5100" * 8, "wrong")) for path in ALL),
    *(
        Case(
            "forbidden",
            path,
            403,
            prepare=lambda s, path=path: s.permit(s.account_sid, resource_of(path), allowed=False),
        )
        for path in ALL
    ),
    *(
        Case(f"fault {status}", path, status, prepare=lambda s, status=status: s.fault(status, retry_after=3))
        for path in ALL
        for status in (401, 403, 429, 500, 503)
    ),
    *(Case("rate limit", path, 429, prepare=_exhaust) for path in ALL),
]


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    running.reset()
    return running


def _ask(simulator: Simulator, case: Case) -> httpx.Response:
    case.prepare(simulator)
    auth = case.auth or (simulator.account_sid, simulator.auth_token)
    method, path = case.path.split()
    url = f"{simulator.url}/v1{path.format(operationId=case.operation_id or KNOWN)}"
    if method == "POST":
        return httpx.post(url, json=BODIES[resource_of(path)] if case.body is None else case.body, auth=auth)
    query = dict(case.query)
    if query.get("pageToken") == "given":
        first = httpx.get(url, params={"pageSize": 1}, auth=auth)
        query["pageToken"] = first.json()["pagination"]["next"]
    return httpx.get(url, params=query, auth=auth)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer_keeps_the_contract(contract, simulator: Simulator, case: Case) -> None:
    answer = _ask(simulator, case)

    assert answer.status_code == case.status, answer.text
    assert contract.problems(case.path, answer) == []
    assert re.fullmatch(r"RQ[0-9a-f]{32}", answer.headers["Twilio-Request-Id"])


def test_every_documented_answer_is_tried(contract) -> None:
    assert {(case.path, case.status) for case in CASES} >= contract.answers()


def test_nothing_undocumented_is_tried(contract) -> None:
    assert {(case.path, case.status) for case in CASES} <= contract.answers()


@pytest.mark.parametrize("status", [200, 400])
def test_every_parameter_is_tried_well_and_badly(contract, status: int) -> None:
    tried = {(case.path, name) for case in CASES if case.status == status for name in case.query}
    tried |= {(case.path, "operationId") for case in CASES if case.status == status and case.path in FETCHES}

    assert tried >= contract.parameters()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"raw_status": "PAUSED"}, "$.status"),
        ({"omit_stats": ["queued"]}, "$.stats"),
        ({"raw_stats": {"sent": -1}}, "$.stats.sent"),
        ({"raw_fields": {"createdAt": "today"}}, "$.createdAt"),
        ({"omit_fields": ["updatedAt"]}, "$"),
    ],
)
def test_the_contract_notices_odd_answers(contract, simulator: Simulator, change: dict[str, Any], where: str) -> None:
    case = Case("odd", EMAIL, 200, prepare=lambda s: _add(s, EMAIL, change))

    found = contract.problems(EMAIL, _ask(simulator, case))

    assert [problem.split(":")[0] for problem in found] == [where]

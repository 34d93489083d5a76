"""What an answer means: whatever bytes come, an operation, a page or a CommsError, and no secret in it."""

from __future__ import annotations

import copy
import json
import pickle
import tracemalloc
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import (
    CommsError,
    CommsNotFoundError,
    CommsProtocolError,
    CommsRecordError,
    CommsServerError,
    CommsStatusError,
)
from airflow_provider_comms.comms.http.request import fetch_request
from airflow_provider_comms.comms.http.response import Response, parse_operation, parse_page
from airflow_provider_comms.comms.listing.query import list_request, query_of
from airflow_provider_comms.comms.models import EmailOperation, MessageOperation, Page
from airflow_provider_comms.comms.settings import ClientSettings

ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
TOKEN = "eyJwYWdlIjoxfQ+/=="
OPERATION = {
    "id": ID,
    "status": "PROCESSING",
    "stats": {"total": 5},
    "createdAt": "2026-11-20T10:00:00Z",
    "updatedAt": "2026-11-20T10:00:05Z",
}
SETTINGS = ClientSettings(
    username="AC0123", password='pa"ss&wörd/\\1', proxy="http://me:prox-secret@proxy.test:1", name="connection x"
)
FETCH = fetch_request("emails", ID)
LIST = list_request(query_of("emails"), TOKEN)


def answer(status: int, body: bytes | str | object = b"", request=FETCH, **headers: str) -> Response:
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(request, status, given_headers, body, SETTINGS.description, SETTINGS.secrets + request.secrets)


def error_of(one: Response) -> CommsError:
    with pytest.raises(CommsError) as caught:
        (parse_operation if one.request.operation_id else parse_page)(one)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


COMMS = {"errors": [{"code": 20404, "message": "Not there.", "infoUrl": "https://x", "context": "null"}]}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (COMMS, 20404, "Not there."),
        ({"errors": [{"code": 20001, "message": "Bad.", "context": "$.to[0]"}]}, 20001, "Bad. (at recipient 1)"),
        (
            {"errors": [{"code": 1, "message": "One."}, {"code": 2, "message": "Two."}]},
            1,
            "One. (code 1); Two. (code 2)",
        ),
        ({"code": 9, "errors": [{"message": "One."}]}, 9, "One."),
        ({"code": 20003, "message": "No.", "more_info": "https://x", "status": 401}, 20003, "No."),
        ({"type": "about:blank", "title": "Gone", "detail": "Long gone.", "status": 404}, None, "Long gone."),
        ({"type": "about:blank", "title": "Gone", "status": 404}, None, "Gone"),
        ({"title": "Bad", "errors": [{"detail": "Odd.", "pointer": "#/to"}]}, None, "Odd. (at to)"),
        ({"code": "20404", "message": "Text code."}, None, "Text code."),
        ({"code": True, "message": "Odd code."}, None, "Odd code."),
        ({"errors": [], "message": "Outside."}, None, "Outside."),
        ({"errors": "none", "message": "Outside."}, None, "Outside."),
        ({"errors": [None, 5, {"message": "  "}], "detail": "Outside."}, None, "Outside."),
        ({"errors": ["just text"]}, None, '{"errors": ["just text"]}'),
        ({"message": 5}, None, '{"message": 5}'),
        ({"message": "Line one.\nLine two.\t\x00End."}, None, "Line one. Line two. End."),
        ("upstream timed out", None, "upstream timed out"),
        ("<html>\n<h1>502 Bad Gateway</h1>", None, "<html> <h1>502 Bad Gateway</h1>"),
        (b"", None, "(empty body)"),
        (b"  \n", None, "(empty body)"),
        (b"\xff\xfe\x00\x01", None, "\ufffd\ufffd"),
        ("null", None, "null"),
        ("[1, 2]", None, "[1, 2]"),
        ("[" * 100_000, None, "[" * 200 + "…"),
        ('{"message": ' + "9" * 5000 + "}", None, '{"message": 9999'),
        ('{"message": "a lone \\ud800 surrogate"}', None, "a lone surrogate"),
    ],
)
def test_an_error_body_of_any_form_gives_code_and_message(body, code, said):
    error = error_of(answer(404, body))
    assert type(error) is CommsNotFoundError
    assert error.context.code == code
    assert said in error.message
    assert error.message.startswith(f"404 from GET /v1/Emails/Operations/{ID}: ")
    assert error.message.isprintable()
    str(error).encode()


def test_a_long_message_is_cut():
    assert len(error_of(answer(400, {"message": "long " * 100_000})).message) < 700


def test_a_date_to_wait_for_is_read_by_the_servers_clock():
    dates = {"date": "Fri, 20 Nov 2020 12:00:00 GMT", "retry_after": "Fri, 20 Nov 2020 12:00:30 GMT"}
    assert error_of(answer(429, COMMS, **dates)).retry_after == 30


def test_the_circumstances_are_told():
    error = error_of(answer(503, COMMS, twilio_request_id="RQ1", retry_after="7"))
    where = error.context
    assert type(error) is CommsServerError
    assert (where.status, where.code, where.request_id, where.retry_after) == (503, 20404, "RQ1", 7.0)
    assert (where.method, where.resource, where.operation_id) == ("GET", "emails", ID)
    assert where.peer == "connection x, https://comms.twilio.com"


def test_a_proxys_request_id_is_better_than_none():
    assert error_of(answer(500, x_request_id="abc")).context.request_id == "abc"
    assert error_of(answer(500)).context.request_id is None


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_is_no_answer(status):
    error = error_of(answer(status, OPERATION, location="https://elsewhere.test"))
    assert type(error) is CommsProtocolError
    assert "redirect" in error.message
    assert "host" in error.advice


@pytest.mark.parametrize("status", [201, 202, 204, 206, 299])
def test_another_success_than_200_is_no_answer(status):
    assert type(error_of(answer(status, OPERATION))) is CommsProtocolError


@pytest.mark.parametrize("status", [402, 405, 406, 408, 409, 410, 418, 422, 451, 499, 501, 505, 599, 999])
def test_every_other_status_is_a_plain_status_error(status):
    assert type(error_of(answer(status, COMMS))) is CommsStatusError


def without(name: str) -> dict:
    return {key: value for key, value in OPERATION.items() if key != name}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<html><title>Sign in</title>", "not valid JSON"),
        (json.dumps(OPERATION)[:60], "not valid JSON"),
        (b"", "not valid JSON"),
        (b"\x1f\x8b\x08\x00garbage", "not valid JSON"),
        (b'{"id": "\xff"}', "not valid JSON"),
        ("[" * 5000, "not valid JSON"),
        ("null", "the body is not a JSON object"),
        ([OPERATION], "the body is not a JSON object"),
        ("5", "the body is not a JSON object"),
    ],
)
def test_a_200_that_is_no_object_is_a_protocol_error_that_says_why(body, says):
    error = error_of(answer(200, body, content_type="text/html; charset=utf-8"))
    assert type(error) is CommsProtocolError
    assert says in error.message


ODD_RECORDS = [
    ({}, "id is missing"),
    (without("status"), "status is missing"),
    (without("stats"), "stats is missing"),
    (without("createdAt"), "createdAt is missing"),
    (OPERATION | {"id": 5}, "id is a number, not a string"),
    (OPERATION | {"stats": []}, "stats is a list, not a JSON object"),
    (OPERATION | {"stats": {"sent": "many"}}, "stats.sent is a string, not an integer"),
    (OPERATION | {"stats": {"sent": -0.5}}, "stats.sent is a number, not an integer"),
    (OPERATION | {"createdAt": "yesterday"}, "createdAt is a string, not a date and time"),
    (OPERATION | {"updatedAt": None}, "updatedAt is null, not a date and time"),
]


@pytest.mark.parametrize(("body", "says"), ODD_RECORDS)
def test_an_object_that_is_no_operation_is_a_record_error_that_says_why(body, says):
    error = error_of(answer(200, body, twilio_request_id="RQ1"))
    assert type(error) is CommsRecordError
    assert error.message == f"The record of operation {ID} cannot be read: {says}."
    assert (error.context.operation_id, error.context.request_id) == (ID, "RQ1")
    assert not error.transient
    assert not error.wrong_endpoint


@pytest.mark.parametrize(("record", "says"), [*ODD_RECORDS, (None, "it is null"), ([[]], "it is a list")])
def test_an_unreadable_record_does_not_hide_its_neighbours(record, says):
    one, two = OPERATION | {"id": "comms_operation_1"}, OPERATION | {"id": "comms_operation_2"}
    page = parse_page(answer(200, {"operations": [one, record, two], "pagination": {"next": "t"}}, request=LIST))
    assert [operation.id for operation in page.operations] == ["comms_operation_1", "comms_operation_2"]
    assert (page.next_token, page.records) == ("t", 3)
    [unreadable] = page.unreadable
    assert unreadable.id == (ID if isinstance(record, dict) and record.get("id") == ID else None)
    assert says in unreadable.error.message
    assert unreadable.error.context.operation_id == unreadable.id


def test_an_id_that_could_not_be_asked_for_is_none():
    page = parse_page(answer(200, {"operations": [{"id": "../alice@example.com"}]}, request=LIST))
    assert page.unreadable[0].id is None
    assert "alice" not in repr(page)


def test_half_a_character_in_one_record_is_that_records():
    odd = OPERATION | {"id": "comms_operation_1", "tag": "\ud83d"}
    page = parse_page(answer(200, {"operations": [OPERATION, odd]}, request=LIST))
    assert len(page.operations) == 2


LONG = "x" * 4000
BAD_PAGES = {
    "numbers": [1] * 2_000_000,
    "objects": [{}] * 1_000_000,
    "lists": [[]] * 1_000_000,
    "nothing right": [{"id": n, "status": [n], "stats": {}, "createdAt": n} for n in range(40_000)],
    "one thousand, long": [{"id": LONG} for _ in range(1000)],
    "one thousand, many fields": [{f"field{n}": n for n in range(200)} for _ in range(1000)],
    "one thousand, many counters": [
        OPERATION | {"stats": dict.fromkeys(map(str, range(300)), LONG[:1])} for _ in range(1000)
    ],
}


@pytest.mark.parametrize("records", BAD_PAGES.values(), ids=BAD_PAGES)
def test_a_page_of_bad_records_costs_little(records):
    body = json.dumps({"operations": records}, separators=(",", ":")).encode()
    one = answer(200, body, request=LIST)
    tracemalloc.start()
    begun = process_time()
    meaning_of(one, parse_page)
    seconds, (_, peak) = process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A few bytes and microseconds for each value, where an error for each record took gigabytes and 11 s.
    assert peak < 25 * len(body)
    assert seconds < 4


@pytest.mark.parametrize("count", [1000, 1001])
def test_more_bad_records_than_a_page_may_hold_are_no_page(count):
    result = meaning_of(answer(200, {"operations": [{}] * count}, request=LIST), parse_page)
    if count > 1000:
        assert type(result) is CommsProtocolError
        assert "more than 1000 records" in result.message
    else:
        assert len(result.unreadable) == 1000


def test_a_200_that_is_no_json_says_what_it_is_and_how_long():
    error = error_of(answer(200, "<html>sign in</html>", content_type="text/html; charset=utf-8"))
    assert "(text/html, 20 bytes): '<html>sign in</html>'" in error.message
    assert "(no content type, 0 bytes)" in error_of(answer(200)).message


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "'operations' is missing"),
        ({"operations": None}, "'operations' is missing or not a list"),
        ({"operations": {}}, "'operations' is missing or not a list"),
        ({"operations": [], "pagination": [1]}, "'pagination'"),
        ({"operations": [], "pagination": "token"}, "'pagination'"),
        ({"operations": [], "pagination": {"next": 5}}, "'pagination'"),
        ({"emails": []}, "'operations' is missing"),
    ],
)
def test_a_200_that_is_no_page_is_a_protocol_error_that_says_which_field(body, says):
    error = error_of(answer(200, body, request=LIST))
    assert type(error) is CommsProtocolError
    assert says in error.message


@pytest.mark.parametrize(
    ("pagination", "token"),
    [
        ({"next": "abc=", "self": "x"}, "abc="),
        ({"next": None, "self": "x"}, None),
        ({"next": ""}, None),
        ({"self": "x"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_null_missing_or_empty_next_ends_the_list(pagination, token):
    page = parse_page(answer(200, {"operations": [], "pagination": pagination}, request=LIST))
    assert page.next_token == token
    assert "abc" not in repr(page)
    assert parse_page(answer(200, {"operations": []}, request=LIST)).next_token is None


@pytest.mark.parametrize("other", ["comms_operation_other", ID.upper(), "", ID + " "])
def test_another_operation_than_was_asked_for_is_a_protocol_error(other):
    error = error_of(answer(200, OPERATION | {"id": other}))
    assert type(error) is CommsProtocolError
    assert f"Asked for {ID}" in error.message


def test_an_operation_is_read_by_the_models_of_the_resource_that_was_asked():
    assert type(parse_operation(answer(200, OPERATION))) is EmailOperation
    assert type(parse_operation(answer(200, OPERATION, request=fetch_request("messages", ID)))) is MessageOperation
    page = parse_page(answer(200, {"operations": [OPERATION]}, request=LIST))
    assert type(page) is Page
    assert type(page.operations[0]) is EmailOperation


SECRETS = {
    "password": SETTINGS.password,
    "basic credential": SETTINGS.secrets[2],
    "proxy password": "prox-secret",
    "page token": TOKEN,
    "e-mail address": "alice.smith@example.com",
    "phone number": "+4915112345678",
    "auth token": "0123456789abcdef0123456789abcdef",
}
ECHOES = {
    "comms": lambda secret: (400, {"errors": [{"code": 1, "message": f"No {secret}!", "context": secret}]}),
    "platform": lambda secret: (401, {"code": 1, "message": f"No {secret}!"}),
    "problem": lambda secret: (404, {"title": f"No {secret}!", "detail": secret}),
    "odd json": lambda secret: (403, {"you": [{"sent": secret}]}),
    "text": lambda secret: (500, f"Authorization: Basic {secret} was refused"),
    "html": lambda secret: (502, f"<pre>GET /?pageToken={secret} HTTP/1.1</pre>"),
    "far down": lambda secret: (502, "far " * 48 + secret),
    "cut": lambda secret: (502, " " * 780 + secret + " and more" * 100),
    "200": lambda secret: (200, f'<html>{{"next": "{secret}"}}'),
    "200 cut json": lambda secret: (200, '{"to": "' + secret + '", "id'),
    "other id": lambda secret: (200, OPERATION | {"id": "operation of " + secret}),
    "long other id": lambda secret: (200, OPERATION | {"id": "x" * 75 + secret}),
    "wrong type": lambda secret: (200, OPERATION | {"stats": {"total": f"not {secret}"}}),
    "unknown status": lambda secret: (200, OPERATION | {"status": {secret: secret}}),
    "redirect": lambda secret: (307, secret),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_no_error_holds_a_secret_that_a_body_echoes(secret, echo):
    status, body = echo(secret)
    header = {"x_request_id": f"for {secret}", "content_type": f"text/{secret}", "location": f"https://x/{secret}"}
    for request in (FETCH, LIST):
        one = answer(status, body, request=request, **header)
        if request is FETCH and secret == TOKEN:
            continue  # A fetch sends none.
        error = error_of(one)
        for shown in (str(error), repr(error), repr(error.args), repr(pickle.loads(pickle.dumps(error)))):
            assert secret not in shown
            assert secret[:9] not in shown
            assert repr(secret)[1:-1] not in shown


@given(st.text(max_size=60), st.sampled_from([*SECRETS.values()]), st.text(max_size=60), st.integers(200, 599))
def test_whatever_stands_around_a_secret_it_is_not_shown(before, secret, after, status):
    error = error_of(answer(status, f"{before} {secret} {after}", request=LIST))
    assert secret not in str(error) + repr(error)


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda children: st.one_of(
        st.lists(children, max_size=4), st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=12,
)
_near_miss = st.fixed_dictionaries(
    {
        "id": st.one_of(st.just(ID), _json),
        "status": st.one_of(st.just("COMPLETED"), _json),
        "stats": st.one_of(st.just({}), st.dictionaries(st.sampled_from(["total", "sent", "x"]), _json), _json),
        "createdAt": st.one_of(st.just("2026-11-20T10:00:00Z"), st.datetimes().map(str), _json),
        "updatedAt": st.one_of(st.just("2026-11-20T10:00:00"), _json),
    },
    optional={"errors": _json, "message": _json, "code": _json},
)
_page = st.fixed_dictionaries(
    {"operations": st.one_of(_json, st.lists(_near_miss, max_size=3))},
    optional={"pagination": st.one_of(_json, st.fixed_dictionaries({"next": _json}))},
)
_errors = st.fixed_dictionaries(
    {"errors": st.one_of(_json, st.lists(st.fixed_dictionaries({"message": _json, "code": _json, "context": _json})))}
)
_bodies = st.one_of(
    st.binary(max_size=300), st.one_of(_json, _near_miss, _page, _errors).map(lambda data: json.dumps(data).encode())
)
_headers = st.dictionaries(
    st.sampled_from(["retry-after", "content-type", "x-request-id", "twilio-request-id"]),
    st.text(st.characters(max_codepoint=255), max_size=30),
)


def meaning_of(one: Response, read):
    try:
        return read(one)
    except CommsError as error:
        return error


@given(st.sampled_from([200, 200, 200, 204, 307, 400, 404, 429, 500]) | st.integers(100, 999), _headers, _bodies)
def test_any_answer_is_an_operation_or_a_page_or_a_comms_error(status, headers, body):
    for request, read in ((FETCH, parse_operation), (LIST, parse_page)):
        one = Response(request, status, headers, body, SETTINGS.description, SETTINGS.secrets)
        result = meaning_of(one, read)
        assert isinstance(result, EmailOperation | Page | CommsError)
        repr(result).encode()
        if isinstance(result, CommsError):
            str(result).encode()
            assert str(copy.deepcopy(result)) == str(result)
            assert result.retry_after is None or result.retry_after >= 0

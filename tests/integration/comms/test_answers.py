"""Whatever comes back over the wire is an operation, a page or a CommsError, and shows no secret."""

from __future__ import annotations

import gzip
import json
import zlib
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
from airflow_provider_comms.comms.errors import (
    CommsAuthenticationError,
    CommsError,
    CommsNotFoundError,
    CommsProtocolError,
    CommsRecordError,
    CommsServerError,
    CommsUnreachableError,
)
from airflow_provider_comms.comms.http.body import MAX_BODY, MAX_SMALL_BODY
from airflow_provider_comms.comms.models import EmailOperation

BIG = MAX_BODY + 1


@pytest.fixture
def told(make_client, settings_for, raw_server):
    """A client of a server that answers with the bytes given; it asks once."""

    def make(answer, **changes):
        return make_client(settings_for(raw_server(answer), **({"attempts": 1} | changes)))

    return make


def raised(client) -> CommsError:
    with pytest.raises(CommsError) as caught:
        client.get("emails", "x")
    return caught.value


@pytest.mark.parametrize(
    ("kind", "says"), [("html", "not valid JSON (text/html"), ("cut_json", "not valid JSON (application/json")]
)
def test_what_is_no_json_is_a_protocol_error(client, simulator, kind, says):
    simulator.fault(kind)
    with pytest.raises(CommsProtocolError) as caught:
        client.get("emails", simulator.add_operation())
    assert says in caught.value.message
    assert caught.value.context.request_id.startswith("RQ")


@pytest.mark.parametrize(
    ("plan", "error", "says"),
    [
        ({"omit_fields": ("stats",)}, CommsRecordError, "stats is missing"),
        ({"omit_fields": ("createdAt",)}, CommsRecordError, "createdAt is missing"),
        ({"raw_fields": {"status": 5}}, CommsRecordError, "status is a number, not a string"),
        ({"raw_stats": {"sent": "many"}}, CommsRecordError, "stats.sent is a string, not an integer"),
        (
            {"raw_fields": {"id": "comms_operation_other"}},
            CommsProtocolError,
            "got 'comms_operation_other'",
        ),
    ],
)
def test_an_operation_that_is_none_is_an_error_that_says_why(client, simulator, plan, error, says):
    operation_id = simulator.add_operation(**plan)
    with pytest.raises(CommsError) as caught:
        client.get("emails", operation_id)
    assert type(caught.value) is error
    assert says in caught.value.message


def test_an_operation_as_twilio_may_yet_send_it_is_read(client, simulator):
    operation_id = simulator.add_operation(
        "messages",
        raw_status="PAUSED",
        raw_stats={"total": None, "brandNew": 3},
        omit_stats=("attempts", "recipients"),
        raw_fields={"updatedAt": "2020-01-01T00:00:00", "channel": "SMS"},
    )
    operation = client.get("messages", operation_id)
    assert operation.status == "PAUSED"
    assert not operation.is_terminal
    assert operation.stats.counters()["brand_new"] == 3
    assert operation.extra == {"channel": "SMS"}
    assert operation.updated_at < operation.created_at


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_another_success_is_a_protocol_error(told, http, operation_json, status):
    error = raised(told(http(status, b"" if status == 204 else operation_json(id="x"))))
    assert type(error) is CommsProtocolError
    assert error.context.status == status


@pytest.mark.parametrize("how", ["length", "chunked", "endless"])
def test_a_body_beyond_the_limit_is_not_read(told, http, how, within):
    def endless(exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            exchange.send(b" " * 65536)

    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    answers = {
        "length": http(200, b" " * BIG),
        "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 5 + b"0\r\n\r\n",
        "endless": endless,
    }
    for ask, argument, limit in (("list", (), MAX_BODY), ("get", ("x",), MAX_SMALL_BODY)):
        client = told(answers[how])
        with within(4), pytest.raises(CommsProtocolError, match=f"longer than {limit} bytes"):
            getattr(client, ask)("emails", *argument)


def test_a_body_within_the_limit_is_read(told, http, operation_json):
    body = operation_json(id="x").ljust(MAX_SMALL_BODY)
    assert told(http(200, body)).get("emails", "x").id == "x"
    page = b'{"operations": [%s]}' % operation_json(id="x")
    assert [one.id for one in told(http(200, page.ljust(MAX_BODY))).list("emails")] == ["x"]


def test_a_packed_body_beyond_the_limit_is_not_unpacked_whole(told, http):
    body = gzip.compress(b" " * BIG * 4)
    assert type(raised(told(http(200, body, Content_Encoding="gzip")))) is CommsProtocolError


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_answer_is_read_and_a_badly_packed_one_is_a_protocol_error(told, http, operation_json, encoding):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding]
    good = pack(operation_json(id="x"))
    assert told(http(200, good, Content_Encoding=encoding)).get("emails", "x").id == "x"
    for bad in (b"garbage", good[: len(good) // 2], good[:-1] + b"\0" * 20):
        error = told(http(200, bad, Content_Encoding=encoding)).try_many("emails", ["x"])["x"]
        assert type(error) in (CommsProtocolError, EmailOperation)
    assert type(raised(told(http(200, b"garbage", Content_Encoding=encoding)))) is CommsProtocolError


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"garbage\r\n\r\n",
        b"\x00\x01\x02\xff\xfe",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 20000 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"x" * 300_000,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x50",
    ],
    ids=lambda answer: repr(answer[:24]),
)
def test_what_is_no_http_is_unreachable(told, hang_up, within, answer):
    def then_leave(exchange) -> object:
        exchange.send(answer)
        return hang_up

    with within(3):
        error = raised(told(then_leave))
    assert isinstance(error, CommsUnreachableError | CommsProtocolError)
    assert len(str(error)) < 1500


@pytest.mark.parametrize(
    "location",
    ["", "http://", "http://xn--/", "http://[", "//a..b", "http://\xff/", "a" * 9000, "ftp://x", "http://x:y"],
)
def test_a_redirect_to_nowhere_is_a_comms_error(told, http, location):
    error = raised(told(http(302, b"", Location=location or " ")))
    assert isinstance(error, CommsProtocolError | CommsUnreachableError)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [(401, CommsAuthenticationError, 20003), (404, CommsNotFoundError, 20404), (503, CommsServerError, 20503)],
)
def test_an_error_answer_is_told_whole(*, make_client, settings_for, simulator, status, kind, code):
    simulator.fault(status)
    error = raised(make_client(settings_for(simulator, attempts=1)))
    assert type(error) is kind
    assert error.context.code == code
    assert error.context.request_id.startswith("RQ")
    for part in ("connection under test", "emails operation x", f"HTTP status {status}", "to do: "):
        assert part in str(error)


def test_a_forbidden_resource_says_which_permission(client, simulator):
    simulator.permit(simulator.account_sid, "messages", allowed=False)
    with pytest.raises(CommsError) as caught:
        client.list("messages")
    assert caught.value.context.code == 70051
    assert "list of messages operations" in str(caught.value)


def test_no_error_shows_what_was_sent_when_a_proxy_echoes_it(told, http):
    """The request as it came, in the body, in a header and in what is no HTTP at all."""
    password = "p&ss/wörd-of-some-length"

    def shown_by(answer, **arguments) -> str:
        client = told(answer, password=password)
        with pytest.raises(CommsError) as caught:
            client.list("emails", **arguments) if arguments else client.get("emails", "x")
        return str(caught.value) + repr(caught.value)

    def credential(exchange) -> bytes:
        return exchange.header("authorization").split()[1].encode()

    token = "c2VjcmV0LXBhZ2U+/w=="
    first = http(200, json.dumps({"operations": [], "pagination": {"next": token}}).encode())
    echoes = [
        lambda e: http(502, e.head),
        lambda e: http(502, b"<pre>" + credential(e)),
        lambda e: http(403, json.dumps({"message": f"bad login {credential(e).decode()} / {password}"}).encode()),
        lambda e: http(200, e.head),
        lambda e: http(500, b"", X_Request_Id=credential(e).decode()),
        lambda e: b"HTTP/1.1 " + credential(e) + b" " + e.target.encode() + b"\r\n\r\n",
    ]
    for echo in echoes:
        fetched = shown_by(lambda e, echo=echo: e.send(echo(e)))
        listed = shown_by(lambda e, echo=echo: e.send(first if e.number == 1 else echo(e)), page_size=5)
        bad_token = shown_by(
            lambda e: e.send(first if e.number == 1 else http(400, f'{{"message": "bad {token}"}}'.encode())), limit=5
        )
        for shown in (fetched, listed, bad_token):
            assert password not in shown
            assert "p&ss" not in shown
            assert token[:12] not in shown
            assert "OnAmc3Mv" not in shown  # The credential's middle, wherever it begins.
            assert "QUM" not in shown.replace("/v1/", "")


_header_names = st.sampled_from(
    [
        "Retry-After",
        "Location",
        "Content-Type",
        "Content-Encoding",
        "Set-Cookie",
        "Twilio-Request-Id",
        "Link",
        "Connection",
        "Date",
        "X-Odd",
    ]
)
_header_values = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40),
    st.sampled_from(["gzip", "deflate", "gzip, gzip", "close", "keep-alive", "http://[::1", "a=b; expires=never", "3"]),
)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9), st.just("x")),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "stats", "status", "operations", "pagination", "next", "q"]), children)
    ),
    max_leaves=8,
)
_statuses = st.sampled_from([200, 200, 204, 304, 307, 400, 404, 429, 500, 503]) | st.integers(200, 999)


@settings(max_examples=60)
@given(
    status=_statuses,
    headers=st.lists(st.tuples(_header_names, _header_values), max_size=4),
    body=st.binary(max_size=200) | _json.map(lambda data: json.dumps(data).encode()),
    mangle=st.sampled_from(["", "", "", "short", "cut", "raw"]),
)
def test_any_answer_is_an_operation_or_a_list_or_a_comms_error(
    *, one_raw_server, settings_for, hang_up, within, status, headers, body, mangle
):
    length = len(body) + (5 if mangle == "short" else 0)
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {length}", *(f"{name}: {value}" for name, value in headers)]
    answer = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    answer = answer[: len(answer) // 2] if mangle == "cut" else body if mangle == "raw" else answer

    def then_leave(exchange) -> object:
        exchange.send(answer)
        return hang_up

    one_raw_server.answer = then_leave
    asked = settings_for(one_raw_server, attempts=1, username=uuid4().hex, attempt_timeout=2)
    with within(4), CommsClient(asked) as client:
        found = client.try_operations("emails", ["x"])["x"]
        assert isinstance(found, EmailOperation | CommsError)
        str(found).encode()
        try:
            list(client.list_operations("emails"))
        except CommsError as error:
            assert "raw-servers-secret" not in str(error) + repr(error)  # noqa: PT017


def test_no_error_holds_on_to_the_library_it_came_from(told, hang_up):
    """Its own errors hold the request with its headers; a log of the context would show them."""
    error = raised(told(lambda _: hang_up))
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("kind", [CommsClient, AsyncCommsClient])
def test_a_client_does_not_show_its_credentials(settings_for, simulator, kind):
    made = settings_for(simulator)
    assert made.password not in repr(kind(made)) + repr(made) + str(made)

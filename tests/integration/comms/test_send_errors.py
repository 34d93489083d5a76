"""What the API says against a send: each thing, by the recipient's number; and nothing that tells who that is."""

from __future__ import annotations

import base64
import html
import json
import logging
import pickle
import traceback
from urllib.parse import quote

import pytest

from airflow_provider_comms.comms.errors import ApiError, CommsBadRequestError, CommsError
from airflow_provider_comms.comms.sending.requests import MessageSend

NAME, NUMBER = "Kanarienvogel Nr. 7", "+14155550142"
CANARIES = ("kanarienvogel", "4155550142", "kanari", "555-0142", "geheimwort")


@pytest.fixture
def refused(make_client, settings_for, raw_server, email):
    """Send something that is refused; return the error."""

    def send(answer, request=None):
        client = make_client(settings_for(raw_server(answer), attempts=1))
        with pytest.raises(CommsError) as caught:
            client.send(request or email())
        return caught.value

    return send


def errors(*records):
    return json.dumps({"errors": [{"infoUrl": "https://x", **record} for record in records]}).encode()


def test_everything_that_is_wrong_is_kept_with_the_number_of_the_recipient(refused, http):
    body = errors(
        {"code": 21614, "message": "Not a valid phone number.", "context": "$.to[17].address"},
        {"code": 21617, "message": "Too long.", "context": "$.content.text"},
        {"code": 20001, "message": "Odd.", "context": "null"},
        {"code": 20001, "message": "Odd.", "context": "$.to[0].addresses[2].channel"},
    )
    error = refused(http(400, body))
    assert type(error) is CommsBadRequestError
    assert error.context.errors == (
        ApiError(21614, "Not a valid phone number.", "to.address", 18),
        ApiError(21617, "Too long.", "content.text", None),
        ApiError(20001, "Odd.", None, None),
        ApiError(20001, "Odd.", "to.addresses[2].channel", 1),
    )
    assert (error.context.code, error.context.is_comms_error) == (21614, True)
    assert error.message == (
        "400 from POST /v1/Emails: Not a valid phone number. (code 21614, at recipient 18: address); "
        "Too long. (code 21617, at content.text); Odd. (code 20001); "
        "Odd. (code 20001, at recipient 1: addresses[2].channel)"
    )
    assert pickle.loads(pickle.dumps(error)).context == error.context


def test_an_error_for_each_of_ten_thousand_recipients(refused, http, email, within):
    record = {"code": 21614, "message": "The address {} is not a valid phone number.", "infoUrl": "https://x/21614"}
    listed = [
        record | {"message": record["message"].format(f"canary{n}@example.com"), "context": f"$.to[{n}].address"}
        for n in range(10_000)
    ]
    with within(4):
        error = refused(http(400, errors(*listed)), email(10_000))
    assert [one.row for one in error.context.errors] == [*range(1, 10_001)]
    assert {one.message for one in error.context.errors} == {"The address *** is not a valid phone number."}
    assert error.message.endswith("; and 9,995 more")


@pytest.mark.parametrize(
    ("body", "is_comms"),
    [
        (errors({"code": 20503, "message": "Down.", "context": "null"}), True),
        (errors({"code": 20503}), True),
        (b'{"errors": []}', False),
        (b'{"errors": [{"message": "No code."}]}', False),
        (b'{"code": 20503, "message": "Down."}', False),
        (b'{"title": "Down", "status": 503}', False),
        (b"<html>503</html>", False),
        (b"", False),
    ],
)
def test_whether_it_was_the_api_itself_that_answered(refused, http, body, is_comms):
    error = refused(http(503, body))
    assert error.context.is_comms_error is is_comms
    assert error.context.sent is True
    assert "look for it by one of its tags" in error.advice


def test_a_body_of_somebody_else_is_named_and_not_quoted(refused, http):
    error = refused(http(502, f"<html>{NAME}</html>".encode(), Content_Type="text/html; charset=utf-8"))
    assert error.message == "502 from POST /v1/Emails: (text/html, 32 bytes)"


# -- Nobody is named -------------------------------------------------------------------------------------------------


def request():
    recipient = {"address": NUMBER, "channel": "PHONE", "variables": {"name": NAME, "code": "Geheimwort 9"}}
    return MessageSend(to=["+14155550100", recipient], text="{{ name }}")


ECHOES = {
    "message": lambda said: errors({"code": 1, "message": f"{said} is wrong.", "context": "$.to[1]"}),
    "quoted": lambda said: errors({"code": 1, "message": f"'{said.upper()}' is wrong.", "context": "null"}),
    "context": lambda said: errors({"code": 1, "message": "Wrong.", "context": f"$.to[1].variables['{said}']"}),
    "odd context": lambda said: errors({"code": 1, "message": "Wrong.", "context": f"$.to[?(@.name=='{said}')]"}),
    "html": lambda said: errors({"code": 1, "message": html.escape(said), "context": "null"}),
    "url": lambda said: errors({"code": 1, "message": quote(said, safe=""), "context": "null"}),
    "json": lambda said: errors({"code": 1, "message": json.dumps({"to": said}), "context": "null"}),
    "platform": lambda said: json.dumps({"code": 1, "message": f"{said} is wrong."}).encode(),
    "problem": lambda said: json.dumps({"title": said, "detail": f"{said} is wrong."}).encode(),
    "code": lambda said: json.dumps({"code": said, "status": said, "more_info": said}).encode(),
    "page": lambda said: f"<html>{said}</html>".encode(),
    "base64": lambda said: base64.b64encode(said.encode()),
    "utf-16": lambda said: said.encode("utf-16"),
    "cut": lambda said: errors({"code": 1, "message": f"{said} is wrong."})[:-5],
    "list": lambda said: json.dumps([said]).encode(),
}


@pytest.mark.parametrize("status", [400, 503, 307])
@pytest.mark.parametrize("said", [NAME, NUMBER, "(415) 555-0142", "Geheimwort 9"])
@pytest.mark.parametrize("echo", ECHOES)
def test_no_error_names_a_recipient_that_the_api_quotes(*, refused, http, caplog, echo, said, status):
    caplog.set_level(logging.DEBUG)
    error = refused(http(status, ECHOES[echo](said)), request())
    shown(error, caplog.text)


@pytest.mark.parametrize("cut", ["refused", "silent", "half"])
def test_no_failure_of_the_connection_names_a_recipient(*, refused, hang_up, caplog, cut):
    def answer(exchange):
        exchange.read_body(0.5 if cut == "half" else 1)
        if cut == "silent":
            exchange.send(f"HTTP/1.1 {NAME}\r\n\r\n".encode())
        return hang_up

    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "httpcore")  # At DEBUG, it quotes a status line that is none.
    shown(refused(answer, request()), caplog.text)


def shown(error, log):
    told = (str(error), repr(error), repr(error.args), str(error.context), repr(error.context.errors))
    everything = "".join((*told, *traceback.format_exception(error), log)).casefold()
    assert [one for one in CANARIES if one in everything] == []
    assert error.__context__ is None


def test_a_warning_is_logged_once_and_names_nobody(make_client, settings_for, raw_server, http, caplog):
    client = make_client(settings_for(raw_server(http(202, b"{}"))))
    client.send(request())
    client.send(request())
    (record,) = [record for record in caplog.records if record.name.startswith("airflow_provider_comms")]
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("No default for name: ")

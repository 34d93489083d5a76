"""The hook sends, and finds again what it has sent."""

from __future__ import annotations

from inspect import signature

import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.sending.requests import EmailSend, MessageSend
from airflow_provider_comms.hooks.comms import CommsHook


@pytest.fixture
def hook(comms_simulator, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", comms_simulator.connection_json())
    return CommsHook()


def test_emails(hook, comms_simulator):
    accepted = hook.send_emails(
        from_={"address": "news@example.com", "name": "News"},
        to=["ada@example.com", {"address": "bob@example.com", "variables": {"name": "Bob"}}],
        subject="Hello",
        html="<p>Hello {{ name | default: '' }}</p>",
        tags={"campaign": "spring"},
    )
    (sent,) = comms_simulator.sends
    assert sent.operation_id == accepted.operation_id
    assert sent.recipients == ("ada@example.com", "bob@example.com")
    assert hook.get_operation("emails", accepted.operation_id).stats.recipients == 2
    assert hook.find_sends("emails", "campaign:spring").operation_ids == (accepted.operation_id,)


def test_messages(hook, comms_simulator):
    accepted = hook.send_messages(to=["+14155550100"], text="Hello", tags={"campaign": "spring"})
    assert [sent.operation_id for sent in comms_simulator.sends] == [accepted.operation_id]
    assert hook.find_sends("messages", "campaign:spring", since="2026-01-01T00:00:00Z").found is True
    assert hook.find_sends("messages", "campaign:autumn").found is False


def test_what_cannot_be_sent_is_not(hook, comms_simulator):
    with pytest.raises(CommsArgumentError, match="recipient 2: address"):
        hook.send_messages(to=["+14155550100", "ada"], text="Hello")
    with pytest.raises(CommsArgumentError, match=r"send_emails: 'subjct' \(did you mean 'subject'\?\)"):
        hook.send_emails(subjct="Hello")
    assert comms_simulator.requests == ()


@pytest.mark.parametrize(("method", "request_"), [("send_emails", EmailSend), ("send_messages", MessageSend)])
def test_the_arguments_are_those_of_the_request(method, request_):
    of_hook, of_request = signature(getattr(CommsHook, method)), signature(request_)
    assert {n: p.default for n, p in of_hook.parameters.items() if n != "self"} == {
        n: p.default for n, p in of_request.parameters.items()
    }

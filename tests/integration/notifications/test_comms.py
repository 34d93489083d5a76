"""The notifier, called as Airflow calls it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import task
from packaging.version import Version

from airflow_provider_comms.comms.errors import CommsArgumentError, CommsError, CommsRateLimitError, CommsServerError
from airflow_provider_comms.notifications.comms import CommsNotifier

SENDER = {"address": "ops@example.com", "name": "Ops"}
IS_ASYNC = Version(airflow_version) >= Version("3.1")


@pytest.fixture(autouse=True)
def _connection(comms_simulator, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", comms_simulator.connection_json())


def email(**kwargs):
    texts = {"subject": "{{ what }} failed", "text": "See <{{ what }}>"}
    return CommsNotifier(
        **{"resource": "emails", "to": "a@example.com, b@example.com", "from_": SENDER, **texts, **kwargs}
    )


def test_an_email(comms_simulator):
    email()({"what": "load"})

    body = comms_simulator.sends[0].body
    assert body["to"] == [{"address": "a@example.com"}, {"address": "b@example.com"}]
    assert body["content"] == {
        "subject": "load failed",
        "text": "See <load>",
        "html": "<pre>See &lt;load&gt;</pre>",
    }


def test_a_message(comms_simulator):
    CommsNotifier(resource="messages", to=["+14155550100"], text="{{ what }}")({"what": "load"})

    assert comms_simulator.sends[0].body["content"] == {"text": "load"}


def test_whatever_an_error_says_is_sent(comms_simulator):
    said = f"No file 'caf\udce9.csv'\n{'x' * 2000}"
    CommsNotifier(resource="messages", to=["+14155550100"], text="{{ said }}")({"said": said})
    email(subject="{{ said }}", text="{{ said }}", html=None)({"said": said})

    message, mail = (one.body["content"] for one in comms_simulator.sends)
    assert len(message["text"]) == 1600
    assert message["text"].startswith("No file 'caf?.csv'\nx")
    assert message["text"].endswith("x...")
    assert mail["subject"].startswith("No file 'caf?.csv' xxx")
    assert mail["text"] == said.replace("\udce9", "?")


def test_a_number_that_a_native_template_gives_is_sent(comms_simulator):
    notifier = CommsNotifier(resource="messages", to=["+14155550100"], text="{{ number }}")
    notifier.text = 5
    notifier.notify({})

    assert comms_simulator.sends[0].body["content"] == {"text": "5"}


def test_each_call_renders_anew(comms_simulator):
    notifier = email()
    notifier({"what": "{{ secret }}"})
    notifier({"what": "extract"})

    first, second = (one.body["content"]["subject"] for one in comms_simulator.sends)
    assert first == "{ { secret }} failed"
    assert second == "extract failed"


def test_what_a_context_holds_is_no_template_of_twilios(comms_simulator):
    email(html="<p>{{ what }}</p>")({"what": "{{{ a }}} {% raw %} {{% b"})

    content = comms_simulator.sends[0].body["content"]
    for text in content.values():
        assert "{{" not in text
        assert "{%" not in text
    assert content["html"].startswith("<p>&#123;&#123;{ a }}}")


def test_an_empty_context(comms_simulator):
    email(subject="Late", text="Late")({})
    assert len(comms_simulator.sends) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": ""},
        {"to": [f"p{n}@example.com" for n in range(101)]},
        {"resource": "faxes"},
        {"from_": None},
        {"subject": None},
        {"text": None},
    ],
    ids=str,
)
def test_what_cannot_be_right(comms_simulator, wrong):
    with pytest.raises(CommsArgumentError):
        email(**wrong).notify({})
    assert comms_simulator.sends == ()


@pytest.mark.parametrize("lacks", ["from_", "subject", "text"])
def test_what_it_lacks_is_told_when_the_dag_is_parsed(lacks):
    with pytest.raises(CommsArgumentError, match=lacks):
        email(**{lacks: None})


def test_a_message_without_a_text_is_told_when_the_dag_is_parsed():
    with pytest.raises(CommsArgumentError, match="no text"):
        CommsNotifier(resource="messages", to="+14155550100")


def test_what_is_not_known_to_be_accepted_is_not_sent_again(comms_simulator):
    comms_simulator.fault(500, route="send", accept=True)
    with pytest.raises(CommsServerError):
        email(subject="Late", text="Late").notify({})
    assert len(comms_simulator.sends) == 1


def test_it_does_not_block_the_event_loop(comms_simulator):
    comms_simulator.change_settings(latency=0.5)
    notifier = email(subject="Late", text="Late")

    async def longest_gap():
        sending = asyncio.create_task(notifier.async_notify({}))
        longest, before = 0.0, time.monotonic()
        while not sending.done():
            await asyncio.sleep(0.005)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
        await sending
        return longest

    assert asyncio.run(longest_gap()) < 0.25
    assert len(comms_simulator.sends) == 1


@pytest.mark.skipif(not IS_ASYNC, reason="Airflow 3.1 is the first to await a notifier")
def test_awaited_with_its_context(comms_simulator):
    async def notify():
        await email(context={"what": "load"})

    asyncio.run(notify())
    assert comms_simulator.sends[0].body["content"]["subject"] == "load failed"


def test_a_task_that_fails_notifies(airflow, comms_simulator):
    notifier = email(subject="{{ ti.task_id }} failed", text="{{ ti.dag_id }}")

    @task(on_failure_callback=[notifier])
    def load():
        raise ValueError("no table")

    assert airflow(load).states == {"load": "failed"}
    content = comms_simulator.sends[0].body["content"]
    assert content["subject"] == "load failed"
    assert content["text"].startswith("test_")


def test_an_error_holds_no_address(comms_simulator):
    with pytest.raises(CommsError) as refused:
        email(to="canary kim@example.com", subject="Late", text="Late").notify({})
    assert "canary" not in str(refused.value)


def test_it_does_not_hold_up_whoever_waits_for_it(comms_simulator):
    comms_simulator.fault(429, retry_after=100)
    began = time.monotonic()

    with suppress(CommsRateLimitError):  # Before Airflow 3.1 it is logged.
        email()({"what": "load"})
    assert time.monotonic() - began < 5
    assert len(comms_simulator.requests) == 1

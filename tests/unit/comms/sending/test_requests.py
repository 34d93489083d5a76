"""A request that could not be sent is never made: each rule, and that no refusal tells of whom."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import traceback
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.sending.requests import MAX_BYTES, EmailSend, MessageSend

SENDER = {"address": "news@example.com", "name": "News"}
EMAIL = {"from_": SENDER, "to": ["ada@example.com"], "subject": "Hello", "html": "<p>Hello</p>"}
POOL = "comms_senderpool_01h9krwprkeee8fzqspvwy6nq8"
PROFILE = {
    "profileId": "mem_profile_01h9krwprkeee8fzqspvwy6nq8",
    "memoryStoreId": "mem_store_00000000000000000000000000",
}
CONTENT_ID = "HX78e8e67fc0246521490fb9907fd0c165"
CANARY = "kanarienvogel"


def email(**changes):
    return EmailSend(**(EMAIL | changes))


def message(**changes):
    return MessageSend(**({"to": ["+14155550100"], "text": "Hello"} | changes))


def refusal(make, **changes):
    with pytest.raises(CommsArgumentError) as caught:
        make(**changes)
    return caught.value


# -- What is sent -----------------------------------------------------------------------------------------------------


def test_an_email_is_the_json_of_the_api():
    made = email(
        to=["ada@example.com", {"address": "bob@example.com", "name": "Bob", "variables": {"a": "ü"}}, PROFILE],
        text="Hello",
        attachments=[{"filename": "a.txt", "contentType": "text/plain", "content": b"hi", "cid": "a"}],
        headers={"List-Unsubscribe": "<https://example.com/u>"},
        ip_pool_name="pool",
        tags={"campaign": "spring"},
    )
    assert json.loads(made.body()) == {
        "from": SENDER,
        "to": [
            {"address": "ada@example.com"},
            {"address": "bob@example.com", "name": "Bob", "variables": {"a": "ü"}},
            PROFILE,
        ],
        "content": {
            "subject": "Hello",
            "html": "<p>Hello</p>",
            "text": "Hello",
            "attachments": [
                {"filename": "a.txt", "contentType": "text/plain", "content": "aGk=", "cid": "a"},
            ],
            "headers": {"List-Unsubscribe": "<https://example.com/u>"},
        },
        "ipPoolName": "pool",
        "tags": {"campaign": "spring"},
    }
    assert "ü".encode() in made.body()


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ({"text": "Hi"}, {"text": "Hi"}),
        ({"text": "Hi", "media": ["https://x/a"]}, {"text": "Hi", "media": [{"url": "https://x/a"}]}),
        ({"text": None, "media": ({"url": "https://x/a"},)}, {"media": [{"url": "https://x/a"}]}),
        ({"text": None, "content_id": CONTENT_ID}, {"contentId": CONTENT_ID}),
        ({"text": None, "modules": [{"sms": {"text": "Hi"}}]}, {"modules": [{"sms": {"text": "Hi"}}]}),
    ],
)
def test_a_message_has_one_kind_of_content(content, sent):
    assert json.loads(message(**content).body()) == {
        "to": [{"address": "+14155550100", "channel": "PHONE"}],
        "content": sent,
    }


@pytest.mark.parametrize(
    "sender",
    [
        {"address": "+14155550100", "channel": "SMS"},
        {"senderId": "comms_sender_01h9krwprkeee8fzqspvwy6nq8"},
        {"senderPoolId": POOL},
        {
            "senderPoolId": POOL,
            "channels": {"filterIn": ["SMS", "RCS"], "priority": [{"channel": "SMS", "priority": 1}]},
        },
    ],
)
def test_a_message_has_a_sender_of_any_kind(sender):
    assert json.loads(message(from_=sender).body())["from"] == sender


def test_equal_requests_have_equal_bytes_however_they_were_written():
    one = email(tags={"a": "1", "b": "2"})
    other = EmailSend(**dict(reversed(EMAIL.items())), tags={"b": "2", "a": "1"})
    assert one.body() == other.body()


def test_other_tags_make_another_request_to_the_same_recipients():
    one = email(tags={"a": "1"})
    other = one.with_tags({"airflow.send": "1f"})
    assert (one.tags, other.tags) == ({"a": "1"}, {"airflow.send": "1f"})
    assert json.loads(other.body()) == json.loads(one.body()) | {"tags": {"airflow.send": "1f"}}
    assert refusal(one.with_tags, tags={"a b": "1"}).message == (
        "Not sent: tags.(a key) does not match ^[a-zA-Z0-9._~-]+$."
    )


def test_its_recipients_are_counted_not_shown():
    made = email(to=[f"{CANARY}@example.com"] * 3, subject=CANARY, html=CANARY)
    assert len(made.to) == 3
    assert repr(made) == f"EmailSend(3 recipients, 0 tags, {len(made.body())} bytes)"
    assert CANARY not in str(made)


def test_what_is_none_is_left_out():
    recipient = {"address": "ada@example.com", "name": None, "variables": {"a": "1", "b": None}}
    assert list(email(to=[recipient], tags=None).to) == [{"address": "ada@example.com", "variables": {"a": "1"}}]


def test_it_keeps_what_it_was_made_of():
    to = [{"address": "ada@example.com", "variables": {"a": "1"}}]
    made = email(to=to)
    to[0]["variables"]["a"] = "2"
    to.append("bob@example.com")
    assert json.loads(made.body())["to"] == list(made.to) == [{"address": "ada@example.com", "variables": {"a": "1"}}]


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_the_same_request(make_copy):
    assert make_copy(email()).body() == email().body()


# -- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"from_": None}, "from_ is missing"),
        ({"from_": "news@example.com"}, "from_ is not a mapping"),
        ({"from_": {"address": "news@example.com"}}, "from_.name is missing"),
        ({"from_": SENDER | {"name": ""}}, "from_.name is too short: 1 characters at least"),
        ({"from_": SENDER | {"name": "Möwe"}}, "from_.name has characters that are not ASCII"),
        ({"from_": SENDER | {"address": "möwe@example.com"}}, "from_.address has characters that are not ASCII"),
        ({"from_": SENDER | {"name": "a\r\nBcc: x"}}, "from_.name has a line break"),
        ({"from_": SENDER | {"senderId": "x"}}, "from_.senderId is not a field of the API"),
        ({"from_": {"senderId": "MG1"}}, "from_.senderId does not match"),
        ({"to": "ada@example.com"}, "to is not a list"),
        ({"to": {"address": "ada@example.com"}}, "to is not a list"),
        ({"to": None}, "to is missing"),
        ({"to": []}, "to has too few entries: 1 at least"),
        ({"to": ["ada@example.com"] * 10_001}, "to has too many entries: 10000 at most"),
        ({"subject": ""}, "subject is too short"),
        ({"html": None}, "html is missing"),
        ({"text": 5}, "text is not a string"),
        ({"ip_pool_name": "x"}, "ip_pool_name is too short: 2 characters at least"),
        ({"ip_pool_name": "x" * 65}, "ip_pool_name is too long: 64 characters at most"),
        ({"headers": {"Reply-To": "x"}}, "headers.Reply-To cannot be set: Twilio reserves"),
        ({"headers": {"DKIM-Signature": "x"}}, "headers.DKIM-Signature cannot be set: Twilio reserves"),
        ({"headers": {"X": "a\nBcc: x"}}, "headers.X has a line break"),
        ({"headers": {"X Y": "a"}}, "headers.(a key) is not the name of a header"),
        ({"attachments": [{"filename": "a", "contentType": "b"}]}, "attachments[0].content is missing"),
        (
            {"attachments": [{"filename": "a", "contentType": "b", "content": "not base64!"}]},
            "attachments[0].content is not base64",
        ),
        ({"tags": {"a": "b c"}}, "tags.a does not match"),
        ({"tags": {"a": ""}}, "tags.a is too short"),
        ({"tags": {"a" * 129: "b"}}, "too long: 128 characters at most"),
        ({"tags": {"a": "b" * 257}}, "tags.a is too long: 256 characters at most"),
        ({"tags": {f"t{n}": "b" for n in range(11)}}, "tags has too many entries: 10 at most"),
        ({"send_at": "2026-12-01T08:00:00"}, "has no time zone"),
        ({"send_at": ["2026-12-01T08:00:00Z"]}, "is a list, not a datetime"),
        ({"sendAt": "x"}, "Unknown argument of EmailSend: 'sendAt' (did you mean 'send_at'?)"),
        ({"reply_to": "x"}, "Unknown argument of EmailSend: 'reply_to'"),
    ],
)
def test_an_email_that_cannot_be_sent(changes, says):
    error = refusal(email, **changes)
    assert says in error.message
    assert error.__cause__ is error.__context__ is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"text": None}, "one kind of content is needed: text and media, content_id, or modules; this has none"),
        ({"media": [], "text": None}, "this has none"),
        ({"content_id": CONTENT_ID}, "this has 2"),
        ({"modules": [{"sms": {"text": "x"}}], "content_id": CONTENT_ID}, "this has 3"),
        ({"text": ""}, "text is too short"),
        ({"text": "x" * 1601}, "text has 1,601 characters, and Twilio sends 1,600"),
        ({"text": None, "content_id": "HX1"}, "content_id does not match"),
        ({"text": None, "modules": []}, "modules has too few entries: 1 at least"),
        ({"text": None, "modules": [{"sms": {"text": "x"}}] * 5}, "modules has too many entries: 4 at most"),
        ({"text": None, "modules": [{"sms": {}}]}, "modules[0].sms is empty"),
        ({"text": None, "modules": [{"sms": {"text": "x"}, "rcs": {"text": "x"}}]}, "modules[0].rcs is not a field"),
        ({"from_": {"address": "+14155550100"}}, "from_.channel is missing"),
        ({"from_": {"address": "+14155550100", "channel": "PHONE"}}, "from_.channel is not one of"),
        ({"from_": {"senderPoolId": "MG123"}}, "from_.senderPoolId does not match"),
        ({"from_": {"senderPoolId": POOL, "channels": {"filterIn": ["SMS", "SMS"]}}}, "names a channel twice"),
        ({"from_": {"senderPoolId": POOL, "channels": {"filterIn": ["PHONE"]}}}, "channels.filterIn[0] is not one"),
        ({"to": [{"addresses": []}]}, "recipient 1: addresses has too few entries: 1 at least"),
        ({"to": [{"addresses": [{"address": "+14155550100", "channel": "PHONE"}] * 11}]}, "entries: 10 at most"),
        ({"to": [{"addresses": [{"address": "+14155550100", "channel": "SMS"}]}]}, "recipient 1: addresses[0].channel"),
        ({"to": [{"address": "+14155550100"}]}, "recipient 1: channel is missing"),
        ({"to": ["ada@example.com"]}, "recipient 1: address is not a telephone number"),
        ({"to": ["+1 415 555 0100"]}, "recipient 1: address is not a telephone number"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_sent(changes, says):
    assert says in refusal(message, **changes).message


@pytest.mark.parametrize(
    ("recipient", "says"),
    [
        (CANARY, "address is not an e-mail address"),
        (f"{CANARY} <a@example.com>", "address is not an e-mail address"),
        (f"{CANARY}\n@example.com", "address is not an e-mail address"),
        ({"adress": f"{CANARY}@example.com"}, "adress is not a field of the API"),
        ({"address": f"{CANARY}@example.com", f"{CANARY} x": "y"}, "(a key) is not a field of the API"),
        ({"address": f"{CANARY}@example.com", "name": ["x", CANARY]}, "name is not a string"),
        ({"address": f"{CANARY}@example.com", "variables": {"age": 5}}, "variables.age is not a string"),
        ({"address": f"{CANARY}@example.com", "variables": {f"a@{CANARY}": 5}}, "variables.(a key) is not a string"),
        ({"address": f"{CANARY}@example.com", "variables": [CANARY]}, "variables is not a mapping"),
        ({"address": f"{CANARY}@\ud800.com"}, "address"),
        ({"profileId": CANARY, "memoryStoreId": CANARY}, "profileId does not match"),
        ({"address": f"{CANARY}@example.com", **PROFILE}, "address is not a field of the API"),
        (None, "is not a mapping"),
        (b"x", "is not a mapping"),
    ],
)
def test_a_recipient_that_cannot_be_is_told_by_number_alone(recipient, says):
    error = refusal(email, to=[*["ada@example.com"] * 17, recipient])
    assert "recipient 18" in error.message
    assert says in error.message
    assert {fault.row for fault in error.context.errors} == {18}
    told = (str(error), repr(error), repr(error.context.errors), *traceback.format_exception(error))
    assert CANARY not in "".join(told)


HALF = f"{CANARY} \ud83d"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"text": HALF}, "text"),
        ({"headers": {"X-Campaign": HALF}}, "headers.X-Campaign"),
        ({"to": [{"address": "ada@example.com", "name": HALF}]}, "recipient 1: name"),
        ({"to": ["ada@example.com", {"address": "bob@example.com", "variables": {"a": HALF}}]}, "recipient 2: variabl"),
        ({"to": [{"address": "ada@example.com", "variables": {HALF: "a"}}]}, "recipient 1: variables"),
    ],
)
def test_half_of_a_surrogate_pair_is_told_by_its_place(changes, place):
    error = refusal(email, **changes)
    assert error.message.startswith(f"Not sent: {place}")
    assert "has half of a surrogate pair" in error.message
    assert CANARY not in "".join(traceback.format_exception(error))


def test_everything_that_is_wrong_is_known_and_the_first_of_it_is_said():
    error = refusal(email, subject="", to=["a@b"] * 10 + ["x"] * 9_000)
    assert len(error.context.errors) == 9_001
    assert [fault.row for fault in error.context.errors[:2]] == [11, 12]
    assert error.message.endswith("; and 8,996 more.")
    assert error.context.sent is False
    assert "send of emails" in str(error)


@pytest.mark.parametrize("over", [0, 1])
def test_the_whole_request_may_have_five_megabytes(over):
    """Counted as it is sent: in UTF-8, with base64 and JSON's escapes."""
    padding = "ü" * 100 + '"' * 100
    room = MAX_BYTES - len(email(html=padding).body()) + over
    if over:
        assert (
            "5,000,001 bytes of JSON, and Twilio takes 5,000,000" in refusal(email, html=padding + "x" * room).message
        )
    else:
        assert len(email(html=padding + "x" * room).body()) == MAX_BYTES


def test_an_attachment_counts_as_base64():
    content = b"x" * 3_800_000
    attachment = {"filename": "a", "contentType": "b", "content": content}
    assert len(base64.b64encode(content)) > MAX_BYTES
    assert "bytes of JSON" in refusal(email, attachments=[attachment]).message


def rcs(content):
    return {"text": None, "modules": [{"rcs": content}]}


def card(**content):
    return {"richCard": {"standaloneCard": {"cardContent": content}}}


def tap(**action):
    return {"text": "Hi", "suggestions": [{"action": {"text": "Go", "postbackData": "go"} | action}]}


EVENT = {"startTime": "2026-12-01T08:00:00Z", "endTime": "2026-12-01T09:00:00Z", "title": "x", "description": "y"}


@pytest.mark.parametrize(
    "content",
    [
        {"text": "Hi"},
        {"contentInfo": {"fileUrl": "https://x/a", "forceRefresh": True}},
        card(title="x", suggestions=[{"reply": {"text": "Yes", "postbackData": "y"}}] * 4),
        {"richCard": {"carouselCard": {"cardContents": [{"title": "x"}, {"description": "y"}]}}},
        tap(dialAction={"phoneNumber": "+14155550100"}),
        tap(openUrlAction={"url": "https://x", "application": "BROWSER"}),
        tap(viewLocationAction={"latLong": {"latitude": 1, "longitude": -2.5}}),
        tap(createCalendarEventAction=EVENT),
        tap(shareLocationAction={}),
    ],
)
def test_an_rcs_message_of_any_kind(content):
    assert json.loads(message(**rcs(content)).body())["content"] == {"modules": [{"rcs": content}]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({}, "rcs.text is missing"),
        ({"text": "x", "contentInfo": {"fileUrl": "y"}}, "rcs.contentInfo is not a field"),
        ({"contentInfo": {"fileUrl": "y", "forceRefresh": "true"}}, "forceRefresh is not True or False"),
        (card(), "cardContent is empty"),
        (tap(createCalendarEventAction={**EVENT, "endTime": "tomorrow"}), "endTime is not a time such as"),
        (tap(createCalendarEventAction={**EVENT, "endTime": "2026-12-01T09:00"}), "endTime is not a time such as"),
        (card(title="x", suggestions=[{"reply": {"text": "Yes", "postbackData": "y"}}] * 5), "entries: 4 at most"),
        ({"richCard": {"carouselCard": {"cardContents": [{"title": "x"}]}}}, "too few entries: 2 at least"),
        ({"text": "x", "suggestions": [{"reply": {"text": "x"}}]}, "suggestions[0].reply.postbackData is missing"),
        (tap(), "suggestions[0].action does not name exactly one action"),
        (tap(shareLocationAction={}, dialAction={"phoneNumber": "1"}), "does not name exactly one action"),
        (tap(viewLocationAction={}), "viewLocationAction is empty"),
        (tap(viewLocationAction={"latLong": {"latitude": 91, "longitude": 0}}), "latitude"),
        (tap(createCalendarEventAction=EVENT | {"endTime": "2026-12-01T09:00:00"}), "endTime is not a time such as"),
    ],
)
def test_an_rcs_message_that_cannot_be_sent(content, says):
    assert says in refusal(message, **rcs(content)).message


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8)
NAMES = st.sampled_from(
    [
        "address",
        "addresses",
        "channel",
        "variables",
        "name",
        "senderId",
        "channels",
        "rcs",
        "sms",
        "text",
        "url",
        CANARY,
    ]
)
ANYTHING = st.recursive(
    SCALARS | st.sampled_from([CANARY, f"{CANARY}@example.com", "PHONE", object(), {1, 2}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | SCALARS, inner, max_size=3),
    max_leaves=8,
)
EMAIL_ARGUMENTS = (
    "from_",
    "to",
    "subject",
    "html",
    "text",
    "attachments",
    "headers",
    "ip_pool_name",
    "tags",
    "send_at",
)
MESSAGE_ARGUMENTS = ("from_", "to", "text", "media", "content_id", "modules", "tags", "send_at")


@given(st.data())
def test_whatever_is_given_it_is_a_request_or_an_argument_error_that_names_nobody(data):
    make, names = data.draw(st.sampled_from([(email, EMAIL_ARGUMENTS), (message, MESSAGE_ARGUMENTS)]))
    changes = data.draw(st.dictionaries(st.sampled_from(names), ANYTHING, min_size=1, max_size=3))
    try:
        made = make(**changes)
    except CommsArgumentError as error:
        told = f"{error!s}{error!r}{error.context.errors!r}{error.__cause__!r}"
    else:
        told = repr(made)
        assert json.loads(made.body())
    if "send_at" not in changes:
        assert f"{CANARY}@" not in told


# -- What is odd ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"html": "{{ name }}"}, "name"),
        ({"html": "{{ name | upcase }} {{ name }}"}, "name"),
        ({"html": "{{- first -}}", "subject": "{{ last }}"}, "last, first"),
        ({"text": "{{order.number}}"}, "order.number"),
        ({"headers": {"X-Name": "{{ name }}"}}, "name"),
    ],
)
def test_a_variable_without_a_default_is_a_warning(changes, names):
    (warning,) = email(**changes).warnings
    assert warning.startswith(f"No default for {', '.join(sorted(names.split(', ')))}:") or names in warning


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"html": "{{ name | default: 'you' }} {% if x %}{% endif %}"},
        {"html": "{{ 'text' }} { name } {{}}"},
        {"attachments": [{"filename": "{{ a }}", "contentType": "b", "content": b"{{ c }}"}]},
        {"send_at": datetime.now(UTC) + timedelta(days=6)},  # Of the time at which the tests are collected.
    ],
)
def test_nothing_odd_no_warning(changes):
    assert email(**changes).warnings == ()


def test_a_time_that_twilio_may_not_keep_or_that_has_passed_is_a_warning():
    late = email(send_at=datetime.now(UTC) + timedelta(days=8))
    assert late.warnings == (
        "send_at is more than 7 days ahead: Twilio keeps an operation for 7 days, so it may be gone by then.",
    )
    assert email(send_at="2026-01-01T00:00:00+01:00").warnings[0].startswith("send_at is in the past")


def test_a_time_may_be_thirty_days_ahead():
    month = timedelta(days=30)
    assert email(send_at=datetime.now(UTC) + month - timedelta(seconds=1))
    error = refusal(email, send_at=datetime.now(UTC) + month + timedelta(minutes=1))
    assert error.message == "Not sent: send_at is more than 30 days ahead."


def test_a_time_is_sent_in_utc_whatever_its_zone():
    at = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    from zoneinfo import ZoneInfo

    made = email(send_at=at.astimezone(ZoneInfo("Asia/Kolkata")))
    assert json.loads(made.body())["schedule"] == {"sendAt": [at.isoformat().replace("+00:00", "Z")]}
    assert made.body() == email(send_at=at.isoformat()).body()


def test_how_long_a_text_with_liquid_gets_only_twilio_knows():
    assert message(text="{% comment %}" + "x" * 1700 + "{% endcomment %}").warnings == ()


@pytest.mark.parametrize("text", ["x" * 1600, "ü" * 1600])
def test_a_text_may_have_1600_characters(text):
    assert json.loads(message(text=text).body())["content"]["text"] == text

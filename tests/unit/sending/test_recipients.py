"""Whom people name, however they do; what cannot be right is refused by its row, never by what stands there."""

from __future__ import annotations

import gzip
import io
from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.sending.allow_list import AllowList
from airflow_provider_comms.sending.recipient_files import is_recipient_file, read_rows
from airflow_provider_comms.sending.recipients import read_recipients

CANARY = "canary.kim@example.com"
PROFILE = {"profileId": "mem_profile_1", "memoryStoreId": "mem_store_1"}


def read(rows, resource=Resource.EMAILS, variables=None):
    return [dict(one.fields) for one in read_recipients(resource, rows, variables)]


def messages(*rows):
    return read(rows, Resource.MESSAGES)


def test_emails():
    assert read(
        [
            " jo@example.com ",
            {"address": "kim@example.com", "name": "Kim", "variables": {"city": "Bonn"}},
            {"address": "lee@example.com", "order": 17, "total": Decimal("9.50"), "paid": True, "on": date(2026, 1, 2)},
            {**PROFILE, "variables": {}},
            {"address": "mo@example.com", "note": None, "name": ""},
        ]
    ) == [
        {"address": "jo@example.com"},
        {"address": "kim@example.com", "name": "Kim", "variables": {"city": "Bonn"}},
        {
            "address": "lee@example.com",
            "variables": {"order": "17", "total": "9.50", "paid": "true", "on": "2026-01-02"},
        },
        PROFILE,
        {"address": "mo@example.com"},
    ]


def test_variables_of_all_are_overridden_by_ones_own():
    assert read([{"address": "a@example.com", "city": "Bonn"}], variables={"city": "Rome", "day": 5}) == [
        {"address": "a@example.com", "variables": {"city": "Bonn", "day": "5"}}
    ]


def test_messages():
    assert messages(
        "+1 (415) 555-0100",
        {"address": "+14155550101", "name": "Kim"},
        "whatsapp:+49 30 1234567",
        {"address": "+4930123", "channel": "whatsapp"},
        {"addresses": ["+4930124", {"address": "+4930125", "channel": "WHATSAPP"}]},
    ) == [
        {"address": "+14155550100", "channel": "PHONE"},
        {"address": "+14155550101", "channel": "PHONE", "variables": {"name": "Kim"}},
        {"address": "+49301234567", "channel": "WHATSAPP"},
        {"address": "+4930123", "channel": "WHATSAPP"},
        {"addresses": [{"address": "+4930124", "channel": "PHONE"}, {"address": "+4930125", "channel": "WHATSAPP"}]},
    ]


def identities(rows, resource=Resource.EMAILS):
    return [one.identity for one in read_recipients(resource, rows)]


def test_the_same_recipient_is_recognized():
    assert len(set(identities(["Jo@Example.com", "jo@example.com ", {"address": "JO@EXAMPLE.COM"}]))) == 1
    assert len(set(identities(["+1 415 555 0100", "+14155550100"], Resource.MESSAGES))) == 1
    assert len(set(identities(["+14155550100", "whatsapp:+14155550100"], Resource.MESSAGES))) == 2
    assert len(set(identities([PROFILE, {**PROFILE, "profileId": "mem_profile_2"}]))) == 2


@pytest.mark.parametrize(
    "row",
    [
        {"adress": CANARY},
        {"address": ""},
        {"address": None},
        {CANARY: "Kim"},
        {CANARY: ["Kim"]},
        {"address": [CANARY]},
        [CANARY],
        CANARY.encode(),
        4915212345678,
        None,
        {"address": 4915212345678},
        {"address": CANARY, "variables": [CANARY]},
        {"address": CANARY, "tags": {"a": CANARY}},
        {"address": CANARY, "variables": {"x": [CANARY]}},
        {"address": CANARY, "variables": {"": CANARY}},
        {"profileId": CANARY},
    ],
    ids=repr,
)
def test_what_cannot_be_right_is_named_by_its_row_alone(row):
    with pytest.raises(CommsArgumentError, match="row 2") as refused:
        read(["jo@example.com", row])
    assert "canary" not in str(refused.value) + repr(refused.value)
    assert "49152" not in str(refused.value)


@pytest.mark.parametrize("row", [{"address": "+4930", "channel": "SMS"}, {"addresses": "+4930"}, {"addresses": [4930]}])
def test_what_cannot_be_right_of_a_message(row):
    with pytest.raises(CommsArgumentError, match="row 1"):
        messages(row)


def test_a_variables_name_that_may_be_an_address_is_not_shown():
    with pytest.raises(CommsArgumentError) as error:
        list(read_recipients(Resource.EMAILS, [{"address": "a@example.com", "canary@example.com": ["x"]}]))
    assert "canary" not in str(error.value)


def test_a_recipients_repr_shows_nothing():
    assert repr(next(read_recipients(Resource.EMAILS, [CANARY]))) == "<recipient in row 1>"


def rows(name, content):
    data = content.encode() if isinstance(content, str) else content
    return list(read_rows(name, lambda: io.BytesIO(data)))


def test_csv():
    content = '\ufeffaddress, name ,city\r\njo@example.com,"Jo, Jr.",Bonn\r\n\r\nkim@example.com,Kim,"New\nYork"\r\n'
    assert rows("s3://bucket/People.CSV", content) == [
        {"address": "jo@example.com", "name": "Jo, Jr.", "city": "Bonn"},
        {"address": "kim@example.com", "name": "Kim", "city": "New\nYork"},
    ]


def test_json_lines():
    assert rows("people.jsonl", '{"address": "jo@example.com"}\n\n"kim@example.com"\n') == [
        {"address": "jo@example.com"},
        "kim@example.com",
    ]


def test_gzip():
    assert rows("people.csv.gz", gzip.compress(b"address\njo@example.com\n")) == [{"address": "jo@example.com"}]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.ndjson", "A.CSV.GZ", "s3://c@b/a.jsonl.gz"])
def test_files_of_recipients(name):
    assert is_recipient_file(name)


@pytest.mark.parametrize("name", ["jo@example.com", "+4930", "a.txt", "a.gz", "csv"])
def test_not_files_of_recipients(name):
    assert not is_recipient_file(name)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", f"{CANARY},Kim\n{CANARY},Kim\n", 'no column "address"'),
        ("a.csv", f"address,name\n{CANARY}\n", "1 cells"),
        ("a.csv", f"address,name\n\n{CANARY}\n", "Line 3 "),
        ("a.csv", f"address,address\n{CANARY},x\n", "a column twice"),
        ("a.csv", f"address,Address\n{CANARY},x\n", "a column twice"),
        ("a.csv", f"address,,\n{CANARY},,\n", "a column without a name"),
        ("a.csv", f'address\n"{CANARY}"x\n', "Line 2"),
        ("a.csv", f"address\n{CANARY}\n".encode("utf-16"), "UTF-8"),
        ("a.csv", b"address\nk\xfcm@canary.com\n", "UTF-8"),
        ("a.jsonl", f'{{"address": "{CANARY}"\n', "Line 1"),
        ("a.jsonl", f"\n{CANARY}\n", "Line 2"),
        ("a.csv.gz", b"address\n", "damaged"),
        ("a.csv.gz", gzip.compress(b"address\n" * 99, mtime=0)[:-9], "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_shows_nothing_of_itself(name, content, says):
    with pytest.raises(CommsArgumentError, match=says) as refused:
        rows(name, content)
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


def admits(allowed, row, resource=Resource.EMAILS):
    return AllowList(allowed).admits(next(read_recipients(resource, [row])))


def test_the_allow_list():
    assert admits(["Jo@example.com"], "JO@example.com")
    assert admits("jo@example.com, @Example.org", "kim@example.org")
    assert not admits(["@example.org"], "kim@sub.example.org.evil.com")
    assert not admits(["@example.org"], "kim@notexample.org")
    assert admits(["*@*.example.org"], "kim@sub.example.org")
    assert admits(["*.example.org"], "kim@sub.example.org")
    assert not admits(["*.*"], "kim@localhost")
    assert admits(["+4930*"], "+49 30 123", Resource.MESSAGES)
    assert not admits(["+4930*"], "+1 4930", Resource.MESSAGES)
    assert not admits(["+4930*"], {"addresses": ["+49301", "+1415"]}, Resource.MESSAGES)


@pytest.mark.parametrize("row", ["whatsapp:+49 30 123", {"address": "+4930123", "channel": "WHATSAPP"}, "+49-30-123"])
@pytest.mark.parametrize("allowed", ["+4930*", "+4930123", "+49 (30) 123", "WhatsApp:+49 30 123"])
def test_a_number_is_allowed_on_each_channel_and_however_it_is_punctuated(allowed, row):
    assert admits([allowed], row, Resource.MESSAGES)
    assert not admits([allowed], "whatsapp:+4931123", Resource.MESSAGES)


@pytest.mark.parametrize("allowed", [[], "", " , ", ["None"], ["[a-z]@example.com", "?@example.com"]])
def test_the_allow_list_fails_closed(allowed):
    assert not admits(allowed, "a@example.com")


def test_a_profile_is_not_allowed_where_there_is_a_list():
    assert not admits(["*"], PROFILE)


@pytest.mark.parametrize(
    ("resource", "row", "message"),
    [
        (Resource.EMAILS, None, "row 1 is empty"),
        (Resource.EMAILS, 5, "row 1 is a number"),
        (Resource.EMAILS, "{{ var.value.canary }}", "its address is a template"),
        (Resource.EMAILS, {"address": "{{ params.canary }}"}, "its address is a template"),
        (Resource.MESSAGES, "{{ params.canary }}", "its address is a template"),
        (Resource.EMAILS, "canary.csv", "its address is the name of a file"),
        (Resource.MESSAGES, "+49 (0)30 1234567", r"has a \(0\)"),
        (Resource.EMAILS, {"address": "jo@example.com", "canary@example.com": [1]}, "a variable is a list"),
    ],
)
def test_what_is_no_recipient_is_named_without_being_shown(resource, row, message):
    with pytest.raises(CommsArgumentError, match=message) as refused:
        read([row], resource)
    assert "canary" not in str(refused.value)
    assert "1234567" not in refused.value.message


def test_letters_that_are_two_in_another_alphabet_are_two_people():
    weiss, sharp, capital = read_recipients(
        Resource.EMAILS, ["weiss@example.com", "weiß@example.com", "WEISS@example.com"]
    )
    assert weiss.identity == capital.identity != sharp.identity
    assert not AllowList(["weiss@example.com"]).admits(sharp)
    assert AllowList(["Weiß@example.com"]).admits(sharp)


def test_the_column_of_addresses_may_be_in_capitals():
    rows = list(read_rows("a.csv", lambda: io.BytesIO(b"Address,City\njo@example.com,Bonn\n")))
    assert rows == [{"address": "jo@example.com", "City": "Bonn"}]

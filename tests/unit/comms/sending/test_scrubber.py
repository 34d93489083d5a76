"""What the API says of a request names no recipient, however it quotes them."""

from __future__ import annotations

import time

import pytest

from airflow_provider_comms.comms.sending.scrubber import Scrubber

scrub = Scrubber(
    [
        {"address": "jane.roe@example.com", "name": "Jane Roe", "variables": {"city": "São Paulo", "code": "A-17"}},
        {"addresses": [{"address": "+14155550142", "channel": "PHONE"}], "variables": {"name": "O'Neil & Søn"}},
        {"profileId": "mem_profile_01h9krwprkeee8fzqspvwy6nq8", "memoryStoreId": "mem_store_0"},
        {"address": "x@y.z", "variables": {"note": "one two three four five six seven eight nine ten eleven"}},
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        "The address jane.roe@example.com is not valid.",
        "'JANE.ROE@EXAMPLE.COM' is not valid.",
        "jane%2Eroe%40example.com is not valid.",
        "Jane Roe is not valid.",
        "jane  ROE, is not valid.",
        "Jane&nbsp;Roe",
        "\\u004aane Roe",
        "São Paulo",
        "S\\u00e3o Paulo and S&atilde;o Paulo",
        "code A-17",
        "O&#39;Neil &amp; Søn",
        "+14155550142",
        "14155550142",
        "(415) 555-0142",
        "415.555.0142",
        "555-0142",
        "three four five six seven eight nine ten",
        "he wrote: one two three four five six seven eight nine ten eleven.",
    ],
)
def test_what_is_said_of_a_recipient_is_hidden(text):
    said = scrub(text)
    assert "***" in said
    assert not {"jane", "roe", "paulo", "17", "neil", "søn", "0142", "eleven", "five"} & set(
        said.casefold().split(" .,")
    )
    for word in ("jane", "paulo", "a-17", "neil", "0142", "four five"):
        assert word not in said.casefold()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The address specified in the request is not a valid phone number.",
        "The concatenated message text exceeds the 1600 character limit",
        "Invalid value provided for field 'from'",
        "The request has 5242880 bytes, at 2026-11-29 10:00:00",
        "Janet Roebuck of PHONE",
    ],
)
def test_other_words_and_numbers_stay(text):
    assert scrub(text) == text


def test_it_takes_little_time_for_many_recipients_and_errors():
    many = Scrubber([{"address": f"user{n}@example.com", "variables": {"name": f"Name {n}"}} for n in range(10_000)])
    many("the first")
    began = time.process_time()
    for n in range(1_000):
        assert (
            many(f"The address user{n}@example.com of Name {n} is not valid.") == "The address *** of *** is not valid."
        )
    assert time.process_time() - began < 1.0
    assert len(many("word " * 1_000_000)) <= 4000

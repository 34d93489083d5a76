"""What of a foreign text is shown: never a secret, never a recipient, never a page token."""

from __future__ import annotations

import html
import json
import time
from urllib.parse import quote as percent_encoded

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from airflow_provider_comms.comms.redaction import excerpt, redact

# No star, of which the mask is made; at least as long as no accident.
secrets = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=6, max_size=80).filter(
    lambda text: len(text.strip()) >= 6
)
texts = st.text(max_size=300)


@given(secrets, texts, texts)
def test_mask_never_lets_a_given_secret_through(secret, before, after):
    assert secret not in redact(before + secret + after, [secret])


@given(secrets, st.integers(0, 1200), st.sampled_from(["x", " ", "ä", "\0", "word ", "\n"]), st.integers(1, 300))
@example("a-secret-of-some-length", 195, " ", 200)
@example("a  b  c  d", 0, "x", 200)
def test_quote_never_lets_a_given_secret_through_even_when_cut(secret, count, filler, length):
    """Of a body that is cut, not even the secret's first half may be seen."""
    body = (filler * count + secret + filler * 900).encode()
    shown = excerpt(body, [secret], length)
    one_line = " ".join(secret.split())
    assume(len(one_line) >= 6 and not set(one_line) <= set(filler + " "))
    assume(one_line[: (len(one_line) + 1) // 2] not in (filler * 6).replace("\0", " "))
    assert secret not in shown
    assert one_line not in shown


@pytest.mark.parametrize("filler", [" ", "\n", "x", "word "])
def test_no_part_of_a_secret_slips_through_wherever_the_body_is_cut(filler):
    secret = "0123456789abcdefSECRET"
    for position in range(150, 1100):
        body = (filler * position)[:position].encode() + secret.encode() + b" and so on" * 100
        assert "0123" not in excerpt(body, [secret])


@given(st.lists(st.text("abcdef", min_size=1, max_size=8), min_size=1, max_size=5), st.text("abcdef", max_size=50))
def test_with_several_secrets_none_is_left_whole(several, text):
    masked = redact(text, several)
    assert not any(secret in masked for secret in several)


def test_a_secret_that_begins_another_does_not_uncover_the_rest_of_it():
    assert redact("abc-and-the-rest", ["abc", "abc-and-the-rest"]) == "***"


def test_an_empty_secret_masks_nothing():
    assert redact("plain", ["", " "]) == "plain"


@pytest.mark.parametrize(
    "spell",
    [
        str,
        json.dumps,
        lambda secret: json.dumps(secret, ensure_ascii=False),
        lambda secret: json.dumps(secret).replace("/", "\\/"),
        lambda secret: percent_encoded(secret, safe=""),
        percent_encoded,
        html.escape,
    ],
    ids=["plain", "json", "json-utf8", "json-slashes", "url", "url-path", "html"],
)
def test_a_secret_is_masked_however_it_is_spelled(spell):
    secret = 'p&ss "wörd"/\\<1>'
    shown = redact(f"before {spell(secret)} after", [secret])
    assert "rd" not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Basic QUM6c2VjcmV0LXRva2Vu", "QUM6c2VjcmV0LXRva2Vu"),
        ("authorization: bearer eyJhbGciOi.J9-_abc", "eyJhbGciOi"),
        ("http://user:hunter2@proxy.test:3128/", "hunter2"),
        ("via socks5://user:p%40ss@proxy.test", "p%40ss"),
        ("to alice.smith+tag@mail.example.com now", "alice"),
        ("to o'brien@example.com now", "o'b"),
        ("to jürgen@example.com now", "jürgen"),
        ("to=alice%40example.com&x=1", "alice"),
        ('"to": "+4915112345678"', "4915112345678"),
        ("whatsapp:+15551234567", "5551234567"),
        ("call +49 (151) 123-45.678 now", "151"),
        ("to=%2B15551234567", "5551234567"),
        ("token 0123456789abcdef0123456789ABCDEF is old", "0123456789abcdef"),
        ('{"next": "eyJwYWdlIjoxfQ==", "self": "c2VsZg+/="}', "eyJ"),
        ('{"next": "eyJwYWdlIjoxfQ==", "self": "c2VsZg+/="}', "c2VsZg"),
        (r'"{\"next\": \"eyJwYWdlIjoxfQ==\"}"', "eyJ"),
        ("?pageToken=abc%2Bdef%3D&x=1", "abc"),
        ("?PageToken=abc%2Bdef%3D", "abc"),
        ("page_token: 'abcdef'", "abcdef"),
    ],
)
def test_what_looks_like_a_secret_or_a_recipient_is_masked(text, hidden):
    assert hidden not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "The operation comms_operation_01h9krwprkeee8fzqspvwy6nq8 was not found",
        "account AC0123456789abcdef0123456789abcdef",
        "request RQ0123456789abcdef0123456789abcdef",
        "5 + 3 recipients at 12:30, code 20404",
        "see https://www.twilio.com/docs/api/errors/20404",
        "the next page itself",
    ],
)
def test_what_helps_and_harms_nobody_stays(text):
    assert redact(text) == text


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_a_quote_is_one_printable_line_of_bounded_length(body, length):
    shown = excerpt(body, length=length)
    assert shown.isprintable()
    assert len(shown) <= length + 1


def test_a_quote_says_that_it_was_cut():
    assert excerpt(b"x" * 200) == "x" * 200
    assert excerpt(b"x" * 201) == "x" * 200 + "…"
    assert excerpt("x" * 100_000) == "x" * 200 + "…"


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a.",
        "+",
        "+1",
        "+1 ",
        "a@",
        "://",
        "basic ",
        "next ",
        "next: ",
        "next=",
        "0",
        "%40",
        "'",
        " ",
        "\\",
        "a%40",
    ],
)
def test_masking_takes_time_in_proportion_to_the_text(unit):
    """A long text of one's choosing must not hold the event loop."""
    text = unit * (200_000 // len(unit))
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 2

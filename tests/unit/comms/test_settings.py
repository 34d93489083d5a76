"""Settings that cannot be right are refused; none of them shows a secret."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsSettingsError
from airflow_provider_comms.comms.settings import ClientSettings, RetryPolicy, Timeouts, normal_base_url


def settings(**changes) -> ClientSettings:
    return ClientSettings(**({"username": "AC1", "password": "pass-word"} | changes))


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan, "5", None, True], ids=repr)
@pytest.mark.parametrize("kind", [Timeouts, RetryPolicy])
def test_timeouts_and_retries_are_positive_numbers(kind, value):
    for name in kind.__dataclass_fields__:
        with pytest.raises(CommsSettingsError, match=f"{name}\\w*={value!r}"):
            kind(**{name: value})


def test_attempts_are_whole():
    with pytest.raises(CommsSettingsError, match=r"attempts=2\.5"):
        RetryPolicy(attempts=2.5)


@pytest.mark.parametrize("name", ["username", "password"])
@pytest.mark.parametrize("value", ["", None])
def test_empty_credentials(name, value):
    with pytest.raises(CommsSettingsError, match=name):
        settings(**{name: value})


@pytest.mark.parametrize("value", [0, -1, 1.5, "4", None])
def test_requests_in_flight_are_a_whole_number_from_1(value):
    with pytest.raises(CommsSettingsError, match="max_in_flight"):
        settings(max_in_flight=value)


@pytest.mark.parametrize(
    ("given_url", "normal"),
    [
        ("https://comms.twilio.com", "https://comms.twilio.com"),
        ("https://comms.twilio.com/", "https://comms.twilio.com"),
        ("https://comms.twilio.com/v1", "https://comms.twilio.com"),
        (" HTTPS://Comms.Twilio.com/v1/ ", "https://comms.twilio.com"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://gateway.test/twilio/v1/", "https://gateway.test/twilio"),
    ],
)
def test_a_base_url_has_one_form(given_url, normal):
    assert settings(base_url=given_url).base_url == normal


@pytest.mark.parametrize(
    "url",
    [
        "",
        "comms.twilio.com",
        "ftp://comms.twilio.com",
        "https://",
        "https:///v1",
        "https://host:port",
        "https://host:99999",
        "https://[::1",
        "https://host?x=1",
        "https://host#x",
        "https://AC1:hunter2-secret@host",
        "https://hunter2-secret@host",
    ],
)
def test_what_is_no_base_url_is_refused_without_being_quoted(url):
    with pytest.raises(CommsSettingsError) as caught:
        normal_base_url(url)
    assert "hunter2" not in str(caught.value) + repr(caught.value)


@given(st.text(max_size=50))
def test_any_text_is_a_base_url_or_refused(url):
    try:
        once = normal_base_url(url)
    except CommsSettingsError:
        return
    assert normal_base_url(once) == once


@pytest.mark.parametrize(
    "proxy",
    [
        "http://[::1",
        "nonsense",
        "",
        5,
        "user:hunter2-secret@",
        "http://:3128",
        "http://me:hunter2-secret@proxy.test:65536",
        "http://me:hunter2-secret@proxy.test:port",
        "http://me:12/hunter2-secret@proxy.test:3128",
        "http://me:12#hunter2-secret@proxy.test:3128",
        "http://me:12?hunter2-secret@proxy.test:3128",
        "http://me:hunter2-secret\n@proxy.test:3128",
        "ftp://me:hunter2-secret@proxy.test:21",
        "http://me:hunter2-secret\udcff@proxy.test:3128",
    ],
)
def test_what_is_no_proxy_is_refused_without_being_quoted(proxy):
    with pytest.raises(CommsSettingsError) as caught:
        settings(proxy=proxy)
    assert "hunter2" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ca_file", "nul\0.pem"),
        ("ca_file", "half\udc80.pem"),
        ("ca_file", 5),
        ("username", "half\udc80"),
        ("username", b"AC1"),
        ("password", "half\udc80-hunter2-secret"),
        ("password", 12345),
        ("user_agent", "two\nlines"),
        ("user_agent", "\u00fcnicode"),
        ("user_agent", "nul\0"),
        ("user_agent", None),
        ("base_url", None),
        ("base_url", 5),
        ("max_in_flight", True),
        ("max_in_flight", -(10**400)),
    ],
    ids=repr,
)
def test_what_cannot_be_sent_or_opened_is_refused_by_the_fields_name(field, value):
    with pytest.raises(CommsSettingsError) as caught:
        settings(**{field: value})
    assert field.replace("base_url", "base URL") in caught.value.message
    assert "hunter2" not in str(caught.value) + repr(caught.value)
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("value", [10**400, 1e300, 10**9])
def test_a_timeout_that_no_clock_can_hold_is_refused(value):
    with pytest.raises(CommsSettingsError, match="read_timeout"):
        Timeouts(read=value)


def test_neither_the_password_nor_the_proxys_is_shown():
    made = settings(proxy="http://me:prox%79-secret@proxy.test:3128")
    for text in (repr(made), str(made), made.description):
        assert "pass-word" not in text
        assert "prox" not in text


def test_secrets_are_known_in_the_forms_in_which_they_are_sent():
    made = settings(proxy="http://me:p%40ss@proxy.test:3128")
    assert set(made.secrets) == {"pass-word", "QUMxOnBhc3Mtd29yZA==", "p@ss", "bWU6cEBzcw=="}
    assert set(settings().secrets) == {"pass-word", "QUMxOnBhc3Mtd29yZA=="}

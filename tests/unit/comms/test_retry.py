"""Which answers are worth another request, how long to wait for it, and when to give up: the rules, with no clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import (
    CommsArgumentError,
    CommsAuthenticationError,
    CommsBadRequestError,
    CommsCertificateError,
    CommsError,
    CommsNotFoundError,
    CommsPermissionError,
    CommsProtocolError,
    CommsRateLimitError,
    CommsServerError,
    CommsSettingsError,
    CommsStatusError,
    CommsTimeoutError,
    CommsUnreachableError,
    ErrorContext,
)
from airflow_provider_comms.comms.http.request import fetch_request, send_request
from airflow_provider_comms.comms.http.response import Response, parse_operation
from airflow_provider_comms.comms.http.retry import delay_before_retry, may_retry
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.comms.settings import RetryPolicy

POLICY = RetryPolicy(attempts=4, retry_after_cap=120, backoff_base=1, backoff_cap=5)
FORMS = {
    # Retry-After as sent -> seconds wished for (None: no wish).
    None: None,
    "3": 3.0,
    "0": 0.0,
    "-5": 0.0,
    "2.5": 2.5,
    "120": 120.0,
    "121": 121.0,
    "99999999": 300.0,
    "Thu, 01 Jan 1970 00:00:00 GMT": 0.0,
    "soon": None,
    "٣": None,
    "": None,
}
CLASSES = {
    400: CommsBadRequestError,
    401: CommsAuthenticationError,
    403: CommsPermissionError,
    404: CommsNotFoundError,
    405: CommsStatusError,
    409: CommsStatusError,
    422: CommsStatusError,
    429: CommsRateLimitError,
    500: CommsServerError,
    501: CommsStatusError,
    502: CommsServerError,
    503: CommsServerError,
    504: CommsServerError,
    599: CommsStatusError,
    204: CommsProtocolError,
    302: CommsProtocolError,
}
FETCH = fetch_request("emails", "comms_operation_01h9krwprkeee8fzqspvwy6nq8")
SEND = send_request(Resource.EMAILS, b"{}", str)
RETRIED = (429, 500, 502, 503, 504)


def error_for(status: int, retry_after: str | None) -> CommsError:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    with pytest.raises(CommsError) as caught:
        parse_operation(Response(FETCH, status, headers, b"", "here"))
    return caught.value


@pytest.mark.parametrize("attempt", [1, 2, 3, 4])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", CLASSES)
def test_table_of_status_and_retry_after_and_attempt(status, form, attempt):
    error = error_for(status, form)
    wished = FORMS[form]

    assert type(error) is CLASSES[status]
    assert error.retry_after == wished
    assert error.transient is (status in RETRIED)
    delay = delay_before_retry(attempt, error.retry_after, POLICY)
    if wished is None:
        assert 0 <= delay <= min(5, 2 ** (attempt - 1))
    else:
        assert delay == wished
    expected = status in RETRIED and attempt < 4 and (wished or 0) <= 120
    assert may_retry(FETCH, error, attempt=attempt, delay=delay, time_left=300, policy=POLICY) is expected


@pytest.mark.parametrize("attempt", [1, 2, 3, 10, 2000])
def test_backoff_doubles_up_to_its_cap_and_has_full_jitter(attempt):
    bound = min(5.0, 2.0 ** (attempt - 1)) if attempt < 100 else 5.0
    assert delay_before_retry(attempt, None, POLICY, draw=lambda: 0.0) == 0.0
    assert delay_before_retry(attempt, None, POLICY, draw=lambda: 0.5) == bound / 2
    assert delay_before_retry(attempt, None, POLICY, draw=lambda: 1.0) == bound


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_never_leaves_its_bounds(attempt, drawn):
    assert 0 <= delay_before_retry(attempt, None, POLICY, draw=lambda: drawn) <= POLICY.backoff_cap


@pytest.mark.parametrize(("delay", "time_left", "retries"), [(299, 300, True), (301, 300, False), (1, -1, False)])
def test_gives_up_when_the_next_request_would_come_after_the_calls_time(delay, time_left, retries):
    assert (
        may_retry(FETCH, CommsServerError("down"), attempt=1, delay=delay, time_left=time_left, policy=POLICY)
        is retries
    )


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (CommsUnreachableError("no"), True),
        (CommsTimeoutError("no"), True),
        (CommsRateLimitError("no"), True),
        (CommsServerError("no"), True),
        (CommsProtocolError("no"), False),
        (CommsNotFoundError("no"), False),
        (CommsArgumentError("no"), False),
        (CommsSettingsError("no"), False),
        (CommsStatusError("no", ErrorContext(retry_after=1.0)), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_may_pass_by_itself_is_asked_again(error, transient):
    assert may_retry(FETCH, error, attempt=1, delay=0, time_left=300, policy=POLICY) is transient


@pytest.mark.parametrize(
    ("error", "sent", "repeats"),
    [
        (CommsUnreachableError, False, True),
        (CommsUnreachableError, True, False),
        (CommsUnreachableError, None, False),
        (CommsTimeoutError, False, True),
        (CommsTimeoutError, True, False),
        (CommsCertificateError, False, False),
        (CommsRateLimitError, True, True),
        (CommsRateLimitError, False, True),
        (CommsServerError, True, False),
        (CommsBadRequestError, True, False),
        (CommsProtocolError, True, False),
    ],
)
def test_what_sends_is_repeated_only_if_it_cannot_be_sent_twice(error, sent, repeats):
    failed = error("no", ErrorContext(sent=sent))
    assert may_retry(SEND, failed, attempt=1, delay=0, time_left=300, policy=POLICY) is repeats

"""Which answers are worth another request, how long to wait for it, and when to give up: the rules, with no clock."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import Future, RetryCallState

from airflow_provider_comms.comms.errors import (
    CommsArgumentError,
    CommsAuthenticationError,
    CommsBadRequestError,
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
from airflow_provider_comms.comms.http.request import fetch_request
from airflow_provider_comms.comms.http.response import Response, parse_operation
from airflow_provider_comms.comms.http.retry import delay_before_retry, is_transient, retry_rules
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
    "99999999": 3600.0,
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
RETRIED = (429, 500, 502, 503, 504)


def error_for(status: int, retry_after: str | None) -> CommsError:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    request = fetch_request("emails", "comms_operation_01h9krwprkeee8fzqspvwy6nq8")
    with pytest.raises(CommsError) as caught:
        parse_operation(Response(request, status, headers, b"", "here"))
    return caught.value


def tenacity_state(error: BaseException, attempt: int, spent: float = 0.0, wait: float = 0.0) -> RetryCallState:
    state = RetryCallState(SimpleNamespace(), None, (), {})
    state.attempt_number = attempt
    state.upcoming_sleep = wait
    state.start_time = time.monotonic() - spent
    state.outcome_timestamp = state.start_time + spent
    state.outcome = Future(attempt)
    state.outcome.set_exception(error)
    return state


@pytest.mark.parametrize("attempt", [1, 2, 3, 4])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", CLASSES)
def test_table_of_status_and_retry_after_and_attempt(status, form, attempt):
    error = error_for(status, form)
    rules = retry_rules(POLICY, 300)
    state = tenacity_state(error, attempt)
    wished = FORMS[form]

    assert type(error) is CLASSES[status]
    assert error.retry_after == wished
    assert rules["retry"](state) is (status in RETRIED)
    delay = rules["wait"](state)
    if wished is None:
        assert 0 <= delay <= min(5, 2 ** (attempt - 1))
    else:
        assert delay == wished
    state.upcoming_sleep = delay
    gives_up = rules["stop"](state)
    assert gives_up is (attempt == 4 or (wished or 0) > 120)


@pytest.mark.parametrize("attempt", [1, 2, 3, 10, 2000])
def test_backoff_doubles_up_to_its_cap_and_has_full_jitter(attempt):
    bound = min(5.0, 2.0 ** (attempt - 1)) if attempt < 100 else 5.0
    assert delay_before_retry(attempt, None, POLICY, draw=lambda: 0.0) == 0.0
    assert delay_before_retry(attempt, None, POLICY, draw=lambda: 0.5) == bound / 2
    assert delay_before_retry(attempt, None, POLICY, draw=lambda: 1.0) == bound


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_never_leaves_its_bounds(attempt, drawn):
    assert 0 <= delay_before_retry(attempt, None, POLICY, draw=lambda: drawn) <= POLICY.backoff_cap


@pytest.mark.parametrize(
    ("spent", "wait", "gives_up"), [(0, 299, False), (0, 301, True), (290, 9, False), (290, 11, True)]
)
def test_gives_up_when_the_next_request_would_come_after_the_calls_time(spent, wait, gives_up):
    state = tenacity_state(CommsServerError("down"), attempt=1, spent=spent, wait=wait)
    assert retry_rules(POLICY, 300)["stop"](state) is gives_up


def test_the_error_given_up_with_is_the_last_one_itself():
    assert retry_rules(POLICY, 300)["reraise"] is True


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
        (TimeoutError(), False),
        (KeyboardInterrupt(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_may_pass_by_itself_is_asked_again(error, transient):
    assert is_transient(error) is transient

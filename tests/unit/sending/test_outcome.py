"""The outcome table, row by row."""

from __future__ import annotations

import asyncio

import pytest

from airflow_provider_comms.comms.errors import (
    CommsArgumentError,
    CommsCertificateError,
    CommsError,
    CommsProtocolError,
    CommsRateLimitError,
    CommsServerError,
    CommsSettingsError,
    CommsStatusError,
    CommsTimeoutError,
    CommsUnreachableError,
    ErrorContext,
)
from airflow_provider_comms.comms.sending.results import Accepted
from airflow_provider_comms.sending.outcome import Outcome, outcome_of


def status(code, *, is_comms_error=True):
    return CommsStatusError("", ErrorContext(status=code, sent=True, is_comms_error=is_comms_error))


def not_sent(kind):
    return kind("", ErrorContext(sent=False))


def sent(kind):
    return kind("", ErrorContext(sent=True))


TABLE = [
    (Accepted("comms_operation_1"), Outcome.ACCEPTED),
    (Accepted(None), Outcome.UNTRACKED),
    (not_sent(CommsUnreachableError), Outcome.NOT_SENT),
    (not_sent(CommsTimeoutError), Outcome.NOT_SENT),
    (not_sent(CommsCertificateError), Outcome.NOT_SENT),
    (CommsRateLimitError("", ErrorContext(status=429, sent=True)), Outcome.NOT_SENT),
    (status(429, is_comms_error=False), Outcome.NOT_SENT),
    (status(503), Outcome.BUSY),
    (status(503, is_comms_error=False), Outcome.UNKNOWN),
    (CommsArgumentError(""), Outcome.REFUSED),
    (CommsSettingsError(""), Outcome.REFUSED),
    *((status(code), Outcome.REFUSED) for code in (300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 413)),
    *((status(code, is_comms_error=False), Outcome.REFUSED) for code in (400, 401, 403, 407, 413, 415, 422, 431, 451)),
    *((status(code), Outcome.UNKNOWN) for code in (303, 304, 408, 409, 425, 499, 500, 501, 502, 504, 507, 520, 599)),
    (sent(CommsUnreachableError), Outcome.UNKNOWN),
    (sent(CommsTimeoutError), Outcome.UNKNOWN),
    (sent(CommsProtocolError), Outcome.UNKNOWN),
    (sent(CommsServerError), Outcome.UNKNOWN),
    (CommsError("nothing is known of it"), Outcome.UNKNOWN),
    (CommsUnreachableError("", ErrorContext(sent=None)), Outcome.UNKNOWN),
    (KeyboardInterrupt(), Outcome.UNKNOWN),
    (SystemExit(), Outcome.UNKNOWN),
    (asyncio.CancelledError(), Outcome.UNKNOWN),
    (TimeoutError(), Outcome.UNKNOWN),
    (RuntimeError("a bug"), Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("end", "outcome"), TABLE, ids=repr)
def test_each_row(end, outcome):
    assert outcome_of(end) is outcome

"""The errors as values: whole after pickle and copy, and worth reading."""

from __future__ import annotations

import copy
import pickle

import pytest

from airflow_provider_comms.comms import errors
from airflow_provider_comms.comms.errors import STATUS_ERRORS, CommsError, CommsStatusError, ErrorContext

WHERE = ErrorContext(
    peer="connection twilio, https://comms.twilio.com",
    method="GET",
    path="/v1/Emails/Operations/comms_operation_1",
    resource="emails",
    operation_id="comms_operation_1",
    status=429,
    code=20429,
    request_id="RQ1",
    retry_after=7.5,
)
CLASSES = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CommsError)),
    key=lambda kind: kind.__name__,
)
COPIES = [copy.copy, copy.deepcopy, *(lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in range(6))]


def test_the_tree_is_the_one_that_is_documented():
    drawn = errors.__doc__ or ""
    assert len(CLASSES) == drawn.count("── ") + 1
    assert all(kind.__name__ in drawn for kind in CLASSES)


@pytest.mark.parametrize("make_copy", COPIES)
@pytest.mark.parametrize("advice", [None, "", "Do this."])
@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_pickles_and_copies_whole(kind, advice, make_copy):
    error = kind("It broke.", WHERE, advice)
    error.add_note("seen at noon")
    twin = make_copy(error)
    assert type(twin) is kind
    assert (twin.message, twin.context, twin.advice, str(twin), twin.args) == (
        error.message,
        error.context,
        error.advice,
        str(error),
        error.args,
    )
    assert twin.retry_after == 7.5
    assert twin.__notes__ == ["seen at noon"]


@pytest.mark.parametrize("kind", CLASSES)
def test_str_says_what_where_and_what_to_do(kind):
    lines = str(kind("It broke.", WHERE, "Mend it.")).splitlines()
    assert lines[0] == "It broke."
    assert lines[2] == "  to do: Mend it."
    for part in ("connection twilio", "emails operation comms_operation_1", "429", "20429", "RQ1", "8 s"):
        assert part in lines[1]


def test_of_a_listing_str_says_whose():
    assert "list of messages operations" in str(CommsError("It broke.", ErrorContext(resource="messages")))


def test_what_is_not_known_is_not_said():
    assert str(CommsError("It broke.")) == "It broke."
    assert "None" not in str(CommsError("It broke.", ErrorContext(resource="emails")))


def test_a_wish_to_wait_no_time_is_still_said():
    assert "Retry-After 0 s" in str(ErrorContext(retry_after=0.0))


@pytest.mark.parametrize("kind", [k for k in CLASSES if k is not CommsError and not issubclass(k, ValueError)])
def test_every_error_that_the_outside_can_cause_has_advice_of_its_own(kind):
    """Where an argument or a setting is at fault, the place that raises it gives the advice."""
    assert kind("It broke.").advice
    assert kind.default_advice.endswith(".")


def test_arguments_and_settings_are_value_errors():
    assert issubclass(errors.CommsArgumentError, ValueError)
    assert issubclass(errors.CommsSettingsError, ValueError)


def test_every_status_error_is_caught_as_such():
    assert all(issubclass(kind, CommsStatusError) for kind in STATUS_ERRORS.values())

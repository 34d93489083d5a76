"""Arguments that cannot be right are refused before any request, by name and value."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_comms.comms.arguments import check_operation_id, check_window, is_documented_id
from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
from airflow_provider_comms.comms.errors import CommsArgumentError, CommsError
from airflow_provider_comms.comms.http.request import fetch_request
from airflow_provider_comms.comms.listing.query import OVERLAP, list_request, query_of
from airflow_provider_comms.comms.resource import OperationStatus, Resource
from airflow_provider_comms.comms.settings import ClientSettings
from airflow_provider_comms.hooks.comms import CommsHook

ID = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def refusal(name: str, value: object, **filters) -> str:
    with pytest.raises(CommsArgumentError) as caught:
        query_of(**({"resource": "emails"} | filters | {name: value}))
    assert isinstance(caught.value, ValueError)
    assert caught.value.advice
    return caught.value.message


@pytest.mark.parametrize("value", ["email", "Emails", "", "sms", "../messages", None, 5, b"emails", ["emails"]])
def test_an_unknown_resource(value):
    assert f"resource={value!r}" in refusal("resource", value)
    with pytest.raises(CommsArgumentError, match="resource="):
        fetch_request(value, ID)


class Nameless:
    def __repr__(self) -> str:
        raise RuntimeError("no name")


def test_what_cannot_be_shown_is_refused_by_its_type():
    assert refusal("page_size", Nameless()) == "page_size=<Nameless> is out of range."


@pytest.mark.parametrize("value", [0, -1, 1001, 10**30, "50", 5.0, True, None, float("nan")])
def test_a_page_size_out_of_bounds(value):
    assert f"page_size={value!r}" in refusal("page_size", value)


@pytest.mark.parametrize("value", [0, -1, "5", 1.0, False])
def test_a_limit_out_of_bounds(value):
    assert f"limit={value!r}" in refusal("limit", value)


@pytest.mark.parametrize("value", [0, 33, "2", None, True, 2.0])
def test_a_parallel_out_of_bounds(value):
    assert f"parallel={value!r}" in refusal("parallel", value)


@pytest.mark.parametrize("value", ["no", "false", "", None, 0, 1])
def test_a_strict_that_is_no_bool(value):
    assert f"strict={value!r} is a {type(value).__name__}" in refusal("strict", value)


@pytest.mark.parametrize("value", ["DONE", "completed", "", 3, "COMPLETED,CANCELED", "CANCELLED"])
def test_an_unknown_status_which_the_api_would_ignore(value):
    assert f"status={value!r}" in refusal("status", value)


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "value", [date(2026, 11, 20), b"2026-11-20T12:00:00Z", 1_700_000_000, pendulum.date(2026, 1, 1)]
)
def test_a_moment_that_is_no_datetime(name, value):
    what = refusal(name, value)
    assert f"{name}={value!r}" in what
    assert type(value).__name__ in what


@pytest.mark.parametrize("value", ["", "yesterday", "2026-13-01T00:00:00Z", "{{ data_interval_start }}"])
def test_a_text_that_is_not_iso_8601(value):
    assert "is not in ISO 8601 format" in refusal("start_date", value)


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize("value", [datetime(2026, 11, 20), pendulum.naive(2026, 11, 20)])  # noqa: DTZ001
def test_a_moment_without_a_zone(name, value):
    what = refusal(name, value)
    assert f"{name}={value!r}" in what
    assert "time zone" in what


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "value",
    [
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    ],
    ids=str,
)
def test_a_moment_that_would_leave_the_calendar(name, value):
    assert f"{name}={value.isoformat()}" in refusal(name, value)


@pytest.mark.parametrize("width", [0, -1, -86400])
def test_a_window_that_is_empty(width):
    what = refusal("end_date", NOON + timedelta(seconds=width), start_date=NOON)
    assert "start_date=2026-11-20T12:00:00+00:00" in what
    assert "end_date=" in what


BERLIN = ZoneInfo("Europe/Berlin")


def test_a_window_over_the_hour_that_comes_twice_in_autumn_is_measured_in_real_time():
    first, second = (datetime(2026, 10, 25, 2, minute, tzinfo=BERLIN, fold=fold) for minute, fold in ((30, 0), (15, 1)))
    assert check_window(first, second) == (first.astimezone(UTC), second.astimezone(UTC))
    with pytest.raises(CommsArgumentError, match="empty"):
        check_window(second, first)


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        NOON.astimezone(ZoneInfo("Asia/Kathmandu")),
        NOON.astimezone(timezone(timedelta(hours=-9, minutes=-30))),
        pendulum.datetime(2026, 11, 20, 12),
        pendulum.datetime(2026, 11, 20, 13, tz="Europe/Berlin"),
        pendulum.instance(NOON).in_timezone("America/St_Johns"),
    ],
    ids=repr,
)
def test_a_moment_of_any_zone_and_make_is_sent_as_utc(moment):
    query = query_of("emails", start_date=moment, end_date=moment + timedelta(seconds=1.5))
    sent = dict(list_request(query).query)
    assert sent["startDate"] == "2026-11-20T11:59:59Z"
    assert sent["endDate"] == "2026-11-20T12:00:02.500000Z"


def test_the_hour_that_comes_twice_is_sent_as_the_one_that_is_meant():
    twice = [datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1)]
    sent = [dict(list_request(query_of("emails", start_date=moment)).query)["startDate"] for moment in twice]
    assert sent == ["2026-10-25T00:29:59Z", "2026-10-25T01:29:59Z"]


@given(st.datetimes(timezones=st.timezones()), st.integers(1, 32))
def test_any_aware_datetime_is_sent_or_refused(moment, parallel):
    try:
        query = query_of("emails", start_date=moment, parallel=parallel)
    except CommsArgumentError:
        return
    sent = dict(list_request(query).query)["startDate"]
    assert datetime.fromisoformat(sent) == moment.astimezone(UTC) - OVERLAP


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        " " + ID,
        ID + "\n",
        "a/b",
        "/",
        "..",
        ".",
        "../Operations",
        "..%2fEmails",
        "%2f",
        "a%2fb",
        "a?b",
        "a#b",
        "a\\b",
        "a;b",
        "a:b",
        "a@b",
        "a\0b",
        "a\x7fb",
        "a\tb",
        "ä",
        "\uff41",
        "a" * 256,
        "None",
        "null",
        "nan",
        None,
        5,
        b"abc",
        ["abc"],
        {"operationId": ID},
    ],
    ids=repr,
)
def test_an_id_that_could_not_be_one(value):
    with pytest.raises(CommsArgumentError) as caught:
        fetch_request("emails", value)
    assert caught.value.message.startswith("operation_id=")
    assert caught.value.advice


@pytest.mark.parametrize("value", ["a/b", None, 5, "None"])
def test_the_refused_id_is_named(value):
    with pytest.raises(CommsArgumentError, match=f"operation_id={value!r} "):
        check_operation_id(value)


def test_a_whole_answer_given_as_id_does_not_spill_its_recipients():
    value = {"operationId": ID, "to": [{"address": "+4915112345678"}, {"address": "alice@example.com"}] * 999}
    with pytest.raises(CommsArgumentError) as caught:
        check_operation_id(value)
    shown = str(caught.value) + repr(caught.value)
    assert "1511234" not in shown
    assert "alice" not in shown
    assert len(shown) < 2000


@pytest.mark.parametrize("value", [ID, "comms_operation_1234567890123456789012345", "x", "a-b_c.d~e", "a" * 255, "..."])
def test_an_id_that_could_be_one_is_taken_as_it_is(value):
    request = fetch_request("messages", value)
    assert request.path == f"/v1/Messages/Operations/{value}"
    assert request.operation_id == value


@given(st.text(max_size=40))
def test_any_text_as_id_stays_one_segment_or_is_refused(value):
    try:
        path = fetch_request("emails", value).path
    except CommsError:
        return
    assert path.split("/") == ["", "v1", "Emails", "Operations", value]
    assert value not in (".", "..")
    assert not set(value) & set("/?#%\\ ")


def test_the_documented_form_of_an_id():
    assert is_documented_id(ID)
    assert not is_documented_id("comms_operation_8" + "0" * 30)
    assert not is_documented_id("comms_operation_01h9krwprkeee8fzqspvwy6n")


def test_good_arguments_are_taken():
    query = query_of("emails", status="COMPLETED", page_size=1, limit=5, parallel=32)
    assert query.resource is Resource.EMAILS
    assert query.status is OperationStatus.COMPLETED
    assert (query.page_size, query.limit, query.parallel) == (1, 5, 32)


def test_only_what_was_asked_for_is_sent():
    assert dict(list_request(query_of("emails")).query) == {"pageSize": "1000"}
    full = query_of("emails", start_date=NOON, status="CANCELED", page_size=7)
    sent = dict(list_request(full, "tok/+==").query)
    assert sent == {
        "startDate": "2026-11-20T11:59:59Z",
        "status": "CANCELED",
        "pageSize": "7",
        "pageToken": "tok/+==",
    }


def test_a_request_does_not_show_its_page_token():
    request = list_request(query_of("emails"), "tok/+==")
    assert "tok" not in repr(request)
    assert "tok" not in repr(request.context("here"))
    assert request.secrets == ("tok/+==",)


SETTINGS = ClientSettings(username="AC1", password="secret")


@pytest.mark.parametrize("face", [AsyncCommsClient(SETTINGS), CommsClient(SETTINGS), CommsHook()], ids=type)
@pytest.mark.parametrize(
    ("mistyped", "nearest"), [("start", "start_date"), ("pagesize", "page_size"), ("state", "status"), ("xyz", None)]
)
def test_an_unknown_filter_is_an_error_with_the_nearest_known_name(face, mistyped, nearest):
    with pytest.raises(CommsArgumentError) as caught:
        face.list_operations("emails", **{mistyped: 1})
    assert repr(mistyped) in caught.value.message
    assert ("did you mean" in caught.value.message) is (nearest is not None)
    assert f"did you mean {nearest!r}?" in caught.value.message or nearest is None
    assert "parallel" in caught.value.advice


@pytest.mark.parametrize("face", [AsyncCommsClient, CommsClient, CommsHook], ids=lambda face: face.__name__)
def test_an_editor_sees_each_argument_of_a_listing(face):
    shown = inspect.signature(face.list_operations).parameters
    assert {"start_date", "end_date", "status", "page_size", "limit", "parallel"} <= shown.keys()
    assert {parameter.kind for parameter in shown.values()} <= {
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    }

"""What a DAG, a template or an upstream task may give for `operation_id`."""

from __future__ import annotations

import json

import pytest

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.waiting.targets import Targets, label_of

ANSWER = {"operationId": "a", "operationLocation": "https://comms.twilio.com/v1/Emails/Operations/a"}


@pytest.mark.parametrize(
    ("operation_id", "ids", "is_list"),
    [
        ("a", ["a"], False),
        ({"id": "a", "status": "COMPLETED"}, ["a"], False),
        (ANSWER, ["a"], False),
        ({"operation_id": "a"}, ["a"], False),
        (["a"], ["a"], True),
        (("a", ANSWER, {"id": "b"}), ["a", "a", "b"], True),
        (iter(["a", "b"]), ["a", "b"], True),
        ({"resource": "emails", "operations": ["a", "b"], "recipients": 5}, ["a", "b"], True),
        ({"operations": [{"id": "a", "stats": {}}], "stats": {}}, ["a"], True),
        ([["a", "b"], ["c"]], ["a", "b", "c"], True),
        ([{"operations": ["a", "b"]}, {"operations": [ANSWER]}], ["a", "b", "a"], True),
        (['["a", "b"]', '"c"'], ["a", "b", "c"], True),
    ],
)
def test_every_way_to_give_an_id_is_read(operation_id, ids, is_list):
    targets = Targets.of("emails", operation_id)

    assert (list(targets.ids), targets.is_list) == (ids, is_list)


@pytest.mark.parametrize("operation_id", ["a", ["a", "b"], ANSWER, {"operations": ["a"]}])
def test_json_text_which_a_template_makes_is_read_as_what_it_holds(operation_id):
    assert Targets.of("emails", json.dumps(operation_id)) == Targets.of("emails", operation_id)


@pytest.mark.parametrize(
    "rendered", ["['a', 'b']", "{'to': '4915123456789'}", "('a', 'b')", '["a"', ["['a', 'b']"], "[" * 99_999]
)
def test_text_of_a_python_object_is_refused_with_the_way_to_have_it_as_json(rendered):
    with pytest.raises(CommsArgumentError, match="operation_id=") as refused:
        Targets.of("emails", rendered)

    assert "tojson" in str(refused.value)
    assert "render_template_as_native_obj=True" in str(refused.value)
    assert len(str(refused.value)) < 300
    assert "4915123456789" not in str(refused.value)


@pytest.mark.parametrize("given", [b"abc", bytearray(b"abc"), [b"abc"]])
def test_bytes_are_refused_as_such(given):
    with pytest.raises(CommsArgumentError, match="is bytes, not text"):
        Targets.of("emails", given)


def test_a_mapping_without_an_id_is_refused_by_its_keys_and_no_value_is_shown():
    with pytest.raises(CommsArgumentError) as refused:
        Targets.of("emails", [{"to": "jo@example.com", "sid": "secret"}])

    assert "its keys are: 'sid', 'to'" in str(refused.value)
    assert "operationId" in str(refused.value)
    assert "jo@example.com" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "operation_id", [None, "", "a/b", [], [None], {}, {"id": None}, {"operations": []}, 5, [[]], [[["a"]]]]
)
def test_what_cannot_be_an_id_is_refused(operation_id):
    with pytest.raises(CommsArgumentError, match="operation_id="):
        Targets.of("emails", operation_id)


@pytest.mark.parametrize(
    ("ids", "label"),
    [
        (["a"], "a"),
        (["a", "b"], "a and 1 more"),
        (["abcdefghijklmnopqrstuvwxyz"], "abcdefghijklmnopq..."),
        (["a" * 99] * 5000, "aa... and 4,999 more"),
    ],
)
def test_a_label_is_no_longer_than_it_may_be(ids, label):
    assert label_of(ids, 20) == label

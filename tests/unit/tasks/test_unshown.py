"""What Airflow renders of an argument, and what it may show of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_comms.tasks.send_files import names_recipient_file
from airflow_provider_comms.tasks.unshown import Unshown, given, holds_template, is_template


class Task:
    to = Unshown(is_template, names_recipient_file)
    variables = Unshown(holds_template)
    html = Unshown()

    def __init__(self, **arguments):
        for name, value in arguments.items():
            setattr(self, name, value)


class Reference:
    def iter_references(self):
        return []


MIXED = {"day": "{{ ds }}", "boss": "canary", "more": ["{{ ds }}", "canary", 1], "people": {"a": "canary"}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("variables", MIXED),
        ("variables", ["{{ ds }}", "canary"]),
        ("to", ["canary", "{{ ds }}"]),
        ("to", [Reference(), "canary"]),
        ("html", "canary {{ first_name }}"),
    ],
)
def test_what_is_not_rendered_is_not_shown_and_not_lost(name, value):
    task = Task(**{name: value})

    assert "canary" not in repr(getattr(task, name))
    setattr(task, name, getattr(task, name))  # As Airflow does, when it has rendered it.
    assert given(task, name) == value
    assert "canary" not in repr(getattr(task, name))


def test_templates_are_rendered_among_what_is_not_shown():
    task = Task(variables=MIXED)
    shown = task.variables
    assert (shown["day"], shown["more"][0]) == ("{{ ds }}", "{{ ds }}")

    task.variables = {**shown, "day": "2026-11-29", "more": ["2026-11-29", *shown["more"][1:]]}

    assert given(task, "variables") == {**MIXED, "day": "2026-11-29", "more": ["2026-11-29", "canary", 1]}
    assert "2026" not in repr(task.variables)


@pytest.mark.parametrize("value", [MIXED, {"boss": "canary"}, ["canary", "{{ ds }}"], "{{ ds }}", None])
def test_what_mapped_tasks_share_is_hidden_until_there_is_a_task(value):
    hidden = Task.variables.hide(value)

    assert "canary" not in repr(hidden)
    assert given(Task(variables=hidden), "variables") == value


@pytest.mark.parametrize("path", [Path("people.csv"), "people.csv", "s3://lists/people.jsonl.gz"])
def test_a_path_is_shown(path):
    assert Task(to=path).to == path


def test_a_template_of_a_path_is_shown_as_what_it_becomes():
    task = Task(to="lists/{{ ds }}.csv")

    task.to = "lists/2026-11-29.csv"

    assert task.to == given(task, "to") == "lists/2026-11-29.csv"


def test_another_value_takes_the_place_of_the_first():
    task = Task(to=Reference())
    task.to = ["canary"]
    assert given(task, "to") == ["canary"]
    task.to = ["somebody else"]
    assert given(task, "to") == ["somebody else"]

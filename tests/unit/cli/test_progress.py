"""How far an operation has come, as far as its counters tell."""

from __future__ import annotations

import io

import pytest

from airflow_provider_comms.cli.output import print_operations, stats_text
from airflow_provider_comms.cli.progress import WaitProgress, progress_of
from airflow_provider_comms.comms.models import EmailOperation
from airflow_provider_comms.waiting.payload import operation_xcom


@pytest.mark.parametrize(
    ("status", "counters", "progress"),
    [
        ("SCHEDULED", {"recipients": 10, "scheduled": 10}, (0, 10)),
        ("PROCESSING", {"recipients": 10, "queued": 4, "sent": 6, "delivered": 5}, (6, 10)),
        ("PROCESSING", {"total": 10, "queued": 4}, (6, 10)),
        ("PROCESSING", {"recipients": 10, "queued": 12}, (0, 10)),
        ("PROCESSING", {}, (0, None)),
        ("COMPLETED", {"recipients": 10, "queued": 3}, (10, 10)),
        ("COMPLETED", {}, (1, 1)),
    ],
)
def test_what_is_queued_is_taken_off_the_whole(status, counters, progress):
    assert progress_of(status, counters) == progress


def test_nothing_is_drawn_where_nobody_watches():
    from rich.console import Console

    drawn = io.StringIO()
    with WaitProgress(Console(file=drawn), "emails", ["one"]) as progress:
        progress.show([{"id": "one", "status": "PROCESSING", "stats": {"recipients": 2, "queued": 1}}])
    assert drawn.getvalue() == ""


def test_a_terminal_shows_the_counters_as_they_move():
    from rich.console import Console

    drawn = io.StringIO()
    with WaitProgress(Console(file=drawn, force_terminal=True, width=160), "emails", ["one"]) as progress:
        for queued in (8, 3):
            progress.show([{"id": "one", "status": "PROCESSING", "stats": {"recipients": 10, "queued": queued}}])
    assert "queued=8" in drawn.getvalue()
    assert "queued=3" in drawn.getvalue()
    assert "70%" in drawn.getvalue()


def test_no_text_of_the_api_is_markup_or_moves_the_cursor():
    from rich.console import Console

    drawn = io.StringIO()
    with WaitProgress(Console(file=drawn, force_terminal=True, width=160), "emails", ["one"]) as progress:
        progress.show([{"id": "one", "status": "[bold]\x1b]0;title\x07\nFAKE", "stats": {"recipients": 2}}])

    assert "[bold]" in drawn.getvalue()
    assert "\x1b]0" not in drawn.getvalue()
    assert "\nFAKE" not in drawn.getvalue()


@pytest.mark.parametrize("output", ["table", "plain"])
def test_a_row_for_people_is_one_line_whatever_the_api_gives(capsys, output):
    record = {"id": "a\nb", "status": "\x1b[31mPAUSED\nFAKE", "stats": {"re\x1bcipi\nents": 10**400}}
    operation = EmailOperation.of_record({**record, "createdAt": 0, "updatedAt": 0})

    print_operations([operation_xcom(operation)], output)

    rows = [line for line in capsys.readouterr().out.splitlines() if "PAUSED" in line or "FAKE" in line]
    assert len(rows) == 1
    assert rows[0].isprintable()
    assert len(rows[0]) < 200


def test_a_counter_is_short_whatever_its_name_and_value():
    assert len(stats_text({"x" * 5000: 10**400})) < 60
    assert stats_text({"recipients": 1200, "sent": 0}) == "recipients=1200"

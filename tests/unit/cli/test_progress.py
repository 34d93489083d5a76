"""How far an operation has come, as far as its counters tell."""

from __future__ import annotations

import io

import pytest

from airflow_provider_comms.cli.progress import WaitProgress, progress_of


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

"""The event that ends a wait: what is written is read, and what 0.1.0 wrote too."""

from __future__ import annotations

import json

import pytest

from airflow_provider_comms.waiting.event import UnreadableEventError, WaitEnd, decode, encode
from airflow_provider_comms.waiting.payload import with_figures
from airflow_provider_comms.waiting.verdict import Failed, Finished, Skipped

OLD = {
    "id": "comms_operation_01h9krwprkeee8fzqspvwy6nq8",
    "resource": "emails",
    "status": "COMPLETED",
    "created_at": "2026-11-21T04:26:44Z",
    "updated_at": "2026-11-21T04:27:04Z",
    "stats": {"recipients": 10},
}
XCOM = with_figures(OLD)


@pytest.mark.parametrize(
    "verdict",
    [Finished(), Finished("a warning"), Skipped("skipped"), Failed("timeout", "too late"), Failed("refused", "404")],
)
@pytest.mark.parametrize("is_list", [True, False])
def test_what_is_written_is_read(verdict, is_list):
    end = WaitEnd(verdict=verdict, operations=[XCOM], is_list=is_list, waited=21.5)

    assert decode(json.loads(json.dumps(encode(end)))) == end


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        ({"verdict": "finished", "reason": None, "message": None}, Finished()),
        ({"verdict": "finished", "reason": None, "message": "was CANCELED"}, Finished("was CANCELED")),
        ({"verdict": "skipped", "reason": None, "message": "was CANCELED"}, Skipped("was CANCELED")),
        ({"verdict": "failed", "reason": "threshold", "message": "too many"}, Failed("threshold", "too many")),
    ],
)
def test_events_of_0_1_0_are_read(event, verdict):
    end = decode({**event, "operations": [OLD]})  # Without figures and rates.

    assert (end.verdict, end.operations, end.is_list) == (verdict, [XCOM], None)


@pytest.mark.parametrize(
    "event",
    ["success", None, [], {}, {"verdict": "waiting"}, {"verdict": "finished"}, {"version": 2, "verdict": "finished"}],
)
def test_anything_else_is_refused(event):
    with pytest.raises(UnreadableEventError):
        decode(event)

"""What a task makes of the event that ends its wait, whoever sent it."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_comms.exceptions import CommsTaskFailed
from airflow_provider_comms.tasks.result import conclude


@pytest.mark.parametrize("event", ["success", None, {}, {"verdict": "postponed"}])
def test_an_event_that_cannot_be_read_fails_the_task_and_says_what_to_do(event):
    with pytest.raises(CommsTaskFailed, match="Clear the task to wait again"):
        conclude(event, logging.getLogger("task"))

"""What a trial may take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local_airflow.distributed import TRIGGERERS

if TYPE_CHECKING:
    from trials.cluster import Waits

INTERVAL = 5.0
"""Seconds between two polls of the trials' waits."""
REQUESTS_PER_POLL = 8
"""A list of each pending status, one of each of the ended ones, and spot checks."""
WITHIN = 120.0
"""Seconds after the recovery in which the last wait must have ended: on a busy machine a start alone takes 30."""


def requests_of(waits: Waits, *, begun: float, starts: int, per_poll: float = REQUESTS_PER_POLL) -> int:
    """
    Return how many requests are at most sent for waits that have gone on since ``begun``.

    :param starts: how often they are started: each may ask once itself then, and once at its end
    :param per_poll: requests of a poll of one triggerer
    """
    polls = len(TRIGGERERS) * ((time.time() - begun) / INTERVAL + 2)
    return int((starts + 1) * len(waits.ids) + polls * per_poll)

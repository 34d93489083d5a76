"""
Whatever the API does to some, every healthy operation's wait ends as it would have alone.

`COMMS_POLL_WORLDS=5000` draws as many worlds, and other ones each time.
"""

from __future__ import annotations

import asyncio
import gc
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.polling import clients, shared
from tests.integration.polling.worlds import PATIENCE, live, worlds

MANY = int(os.environ.get("COMMS_POLL_WORLDS", "0"))
AT_ONCE = 10
LONGEST_HOLD = 0.2
"""CPU seconds for which the loop may be held, with everything of ten worlds on it."""


@settings(
    max_examples=(MANY or settings.default.max_examples) // AT_ONCE,
    derandomize=not MANY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
@given(st.lists(worlds(), min_size=AT_ONCE, max_size=AT_ONCE))
def test_every_healthy_operations_wait_ends_as_it_would_have_alone(drawn):
    async def live_all():
        results = await asyncio.gather(*(live(world) for world in drawn))
        left = asyncio.all_tasks() - {asyncio.current_task()}
        loop = asyncio.get_running_loop()
        return results, left, shared._shared.get(loop), clients._shared.get(loop)

    results, tasks, pollers, open_clients = asyncio.run(live_all())

    assert not tasks
    assert not pollers
    assert not open_clients
    for world, (api, outcomes, held) in zip(drawn, results, strict=True):
        check(world, api, outcomes)
        assert held < LONGEST_HOLD
    gc.collect()


def check(world, api, outcomes):
    for outcome in outcomes:
        ops = {api.id_of(number): world.ops[number] for number in outcome.fleet.of}
        stays = outcome.fleet.leaves is None and all(op.is_healthy for op in ops.values())
        for one, op in ops.items():
            check_end(world, op, outcome.found.get(one), stays)
        others = {api.id_of(number) for number in range(len(world.ops))} - ops.keys()
        for text in outcome.heard:
            assert not any(other in text for other in others), f"told of another operation: {text}"
    rounds = max(outcome.polls for outcome in outcomes) + 5
    assert api.requests < rounds * (len(world.ops) + 40)


def check_end(world, op, found, stays):
    if isinstance(found, CommsError):
        is_own = not op.is_healthy or is_outage(world)
        assert is_own or found.transient, f"a healthy operation's wait failed: {found}"
        assert is_own or not stays, f"{op} was not seen in {PATIENCE} s: {found}"
    elif stays:
        assert found is not None, f"nobody was told of {op}"
        assert found.status == op.status, f"{op} is {found.status} after {PATIENCE} s"


def is_outage(world):
    """Whether permanent errors met all for a while: a portal's page, or credentials that cannot be read again."""
    is_portal = world.outage is not None and getattr(world.outage, "status", 0) == 200
    return is_portal or (world.rotates is not None and world.rereading is not None)

"""A 429 to one client slows every client of the same connection in the process, and no other."""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import pairwise

import pytest

from airflow_provider_comms.comms.client import AsyncCommsClient, CommsClient
from airflow_provider_comms.comms.errors import CommsRateLimitError, CommsTimeoutError

SHUT = 0.5


def refused(client, simulator, retry_after: str) -> None:
    """Let one call meet a 429 and give up."""
    simulator.fault(429, retry_after=retry_after, times=1)
    with pytest.raises(CommsRateLimitError):
        client.get("emails", "x")


@pytest.fixture
def gives_up(make_client, settings_for, simulator):
    """A client that makes one request, and so tells the gate and leaves."""
    return make_client(settings_for(simulator, attempts=1))


def test_every_other_client_waits_sync_and_async_and_in_threads(gives_up, settings_for, simulator):
    operation_id = simulator.add_operation()
    settings = settings_for(simulator)
    refused(gives_up, simulator, str(SHUT))
    shut_at = time.monotonic()

    def sync() -> None:
        with CommsClient(settings) as other:
            other.get_operation("emails", operation_id)

    async def asynchronous() -> None:
        async with AsyncCommsClient(settings) as other:
            await other.get_operation("emails", operation_id)

    callers = [sync, sync, lambda: asyncio.run(asynchronous()), lambda: asyncio.run(asynchronous())]
    threads = [threading.Thread(target=caller) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, *others = (request.at for request in simulator.requests)
    assert len(others) == 4
    assert all(at >= shut_at + SHUT - 0.05 for at in others)
    assert all(at - first < SHUT + 3 for at in others)


def test_clients_of_another_account_or_another_host_do_not_wait(
    *, gives_up, make_client, settings_for, simulator, raw_server, http, operation_json, within
):
    operation_id = simulator.add_operation()
    refused(gives_up, simulator, "60")
    other_account = settings_for(simulator, username=simulator.api_key_sid, password=simulator.api_key_secret)
    other_host = settings_for(raw_server(http(200, operation_json())), username=simulator.account_sid)
    with within(20):
        make_client(other_account).get("emails", operation_id)
        make_client(other_host).get("emails", operation_json.id)


def test_a_closed_gate_that_opens_too_late_is_an_error_without_a_request(gives_up, client, simulator, within):
    refused(gives_up, simulator, "3600")
    with within(20), pytest.raises(CommsRateLimitError, match="Not sent") as caught:
        client.get("emails", "x")
    assert caught.value.retry_after == pytest.approx(300, abs=2)
    assert caught.value.context.status is None
    assert len(simulator.requests) == 1


def test_callers_that_waited_together_do_not_come_back_together(gives_up, client, simulator):
    ids = [simulator.add_operation() for _ in range(4)]
    refused(gives_up, simulator, "0.1")
    assert [found.id for found in client.side_by_side(ids)] == ids
    times = sorted(request.at for request in simulator.requests)[1:]
    assert times[-1] - times[0] > 0.05


def test_a_404_after_a_storm_lets_the_gap_narrow_too(gives_up, client, simulator, within):
    """An answer that is no 429 is one that the limit let pass, whatever it says."""
    refused(gives_up, simulator, "0")
    with within(2.5):
        for _ in range(50):
            assert type(client.try_many("emails", ["gone"])["gone"]).__name__ == "CommsNotFoundError"
    times = [request.at for request in simulator.requests][-20:]
    # A gap would hold for each; a busy machine delays some.
    assert min(after - before for before, after in pairwise(times)) < 0.03


def test_a_server_that_refuses_everything_sees_a_bounded_number_of_requests(make_client, settings_for, simulator):
    simulator.fault(429)
    client = make_client(settings_for(simulator, attempts=5, call_timeout=1))
    found = client.side_by_side([f"operation-{n}" for n in range(16)])
    # A call may end while its own probe is under way.
    assert CommsRateLimitError in {type(error) for error in found} <= {CommsRateLimitError, CommsTimeoutError}
    # The 16 that leave before the first answer, then one at a time, with gaps that double from 0.05 s.
    assert len(simulator.requests) <= 16 + 8


def test_one_refusal_among_many_in_flight_is_over_once_the_probe_has_passed(
    make_client, settings_for, simulator, within
):
    """The others were sent before the block and answered after it: they open nothing, and break nothing."""
    simulator.change_settings(latency=0.1)
    simulator.fault(429, retry_after=0.2, times=1)
    ids = [simulator.add_operation() for _ in range(60)]
    with within(4):
        assert list(make_client(settings_for(simulator)).try_many("emails", ids)) == ids


def test_a_rate_limit_is_kept_to_and_all_is_fetched_in_the_end(make_client, settings_for, simulator):
    simulator.change_settings(rate_limit=50)
    ids = [simulator.add_operation() for _ in range(40)]
    client = make_client(settings_for(simulator, attempts=10, backoff_base=0.05, call_timeout=20))
    assert [found.id for found in client.side_by_side(ids[:30])] == ids[:30]
    assert list(client.try_many("emails", ids)) == ids
    fail_fast_on_permanent_errors = simulator.request_counts()["by_status"].get("429", 0)
    assert fail_fast_on_permanent_errors <= 40

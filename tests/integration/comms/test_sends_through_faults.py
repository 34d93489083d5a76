"""Whatever goes wrong: what the client says of a send agrees with what the simulator has accepted."""

from __future__ import annotations

from uuid import uuid4

import pytest

from airflow_provider_comms.comms.client import CommsClient
from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.settings import Timeouts
from airflow_provider_comms.simulator import Fault, Simulator

FAULTS = {
    "nothing": None,
    **{str(status): Fault(status) for status in (400, 403, 404, 413, 500, 502, 503, 504)},
    "reset": Fault("reset"),
    "reset request": Fault("reset_request"),
    "hang": Fault("hang"),
    "html": Fault("html"),
    "redirect": Fault("redirect", location="/v1/Emails"),
    **{f"accepted, {status}": Fault(status, accept=True) for status in (500, 502, 503, 504)},
    "accepted, reset": Fault("reset", accept=True),
    "accepted, hang": Fault("hang", accept=True),
    "accepted, drips": Fault("drip_body", interval=0.01),
    "accepted, truncated": Fault("truncated"),
    "accepted, cut": Fault("cut_json"),
    "accepted, reset body": Fault("reset_body"),
    "accepted, zipped": Fault("gzip", layers=2),
}


@pytest.fixture(scope="module")
def server():
    with Simulator(account_sid="AC" + uuid4().hex) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def sender(server, settings_for):
    settings = settings_for(server, attempts=3, attempt_timeout=0.1, call_timeout=0.1, backoff_base=0.001)
    with CommsClient(settings) as client:
        yield client


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_it_is_accepted_once_at_most_and_the_client_knows(server, sender, email, fault):
    server.clear_faults()
    if fault is not None:
        server.fault(fault.model_copy(update={"route": "send", "times": 1}))  # A second request would be accepted.
    tag = f"t:{uuid4().hex}"
    try:
        accepted = sender.send_emails(email(tags={"t": tag[2:]}))
    except CommsError as error:
        said, context = None, error.context
    else:
        said, context = accepted, None
    sent = [one.operation_id for one in server.sends if one.tags == {"t": tag[2:]}]

    assert len(sent) <= 1
    if context and (context.sent is False or 300 <= (context.status or 0) < 500):
        assert sent == []
    if said and said.operation_id:
        assert sent == [said.operation_id]
    if said is None or said.operation_id is None:
        sighting = sender.with_options(timeouts=Timeouts()).find_sends("emails", tag)
        assert (sighting.found, sighting.operation_ids) == (bool(sent), tuple(sent))

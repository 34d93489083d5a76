"""Sends under a real scheduler: nobody is sent it twice, and nothing that Airflow keeps names a recipient."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow import __version__ as airflow_version
from packaging.version import Version

from local_airflow.waiting import wait_for
from tests.system.together import RUN_SECONDS, started_together

if TYPE_CHECKING:
    from airflow_provider_comms.simulator import Simulator as ThreadSimulator
    from local_airflow.airflow import LocalAirflow
    from local_airflow.runs import Run
    from local_airflow.simulator import Simulator

pytestmark = pytest.mark.system

PEOPLE = [f"canarybird{number}@example.com" for number in range(5)]
PHONES = [f"+1415777010{number}" for number in range(3)]
CANARIES = ("canarybird", "1415777010", "4157770100", "Canary Kim")
QUOTES_A_RECIPIENT = json.dumps(
    {"errors": [{"code": 21614, "message": f"{PHONES[1]} is not valid", "infoUrl": "", "context": "$.to[1].address"}]}
)


@started_together
def canaries(
    airflow: LocalAirflow, sends_simulators: dict[str, ThreadSimulator], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    folder = tmp_path_factory.mktemp("people")
    (folder / "people.csv").write_text("\n".join(["address,first_name", *(f"{one},Canary Kim" for one in PEOPLE)]))
    (folder / "phones.jsonl").write_text("\n".join(json.dumps({"address": one}) for one in PHONES))
    sends_simulators["send_waited_for"].change_settings(send_plan={"processing_for": 3.0})
    sends_simulators["send_retried"].fault(429, route="send", skip=1, times=1)
    sends_simulators["send_unknown"].change_settings(item_lag=3600)
    sends_simulators["send_unknown"].fault(502, route="send", accept=True)
    sends_simulators["send_refused"].fault("raw", route="send", status=400, body=QUOTES_A_RECIPIENT)
    return airflow.start_run("sends_to_canaries", {"folder": str(folder)})


def test_each_send_ends_as_it_should(canaries: Run, sends_simulators: dict[str, ThreadSimulator]) -> None:
    assert canaries.states == {"waited_for": "success", "retried": "success", "unknown": "failed", "refused": "failed"}

    once = dict.fromkeys(PEOPLE, 1)
    accepted = {"send_waited_for": once, "send_retried": once, "send_unknown": once, "send_refused": {}}
    assert {name: dict(sends_simulators[name].accepted_recipients("emails")) for name in accepted} == accepted
    waited_for = canaries.xcom("waited_for")
    assert [one["status"] for one in waited_for["operations"]] == ["COMPLETED"]
    assert (waited_for["recipients"], waited_for["chunks"]) == (5, 1)
    assert canaries.xcom("retried")["operations"] == [
        one.operation_id for one in sends_simulators["send_retried"].sends
    ]
    log = canaries.log("unknown")
    assert "It is not known whether chunk 1 of 1 (5 recipients) was accepted." in log
    assert "airflow comms find emails --tag airflow.send:" in log
    assert "at recipient 2" in canaries.log("refused")


@pytest.mark.skipif(
    Version(airflow_version) < Version("3.3"), reason="Airflow 3.3 is the first with a task state store"
)
def test_a_retry_takes_what_was_sent_from_the_task_state_store(
    canaries: Run, sends_simulators: dict[str, ThreadSimulator]
) -> None:
    assert canaries.task("retried").try_number == 2
    assert "Accepted before, not sent again: chunk 1 of 3" in canaries.log("retried")


def test_nothing_that_airflow_keeps_names_a_recipient(airflow: LocalAirflow, canaries: Run) -> None:
    assert canaries.has_ended()

    # Of a PostgreSQL the files are not searched; its rows are the same.
    files = [path for path in airflow.home.rglob("*") if path.is_file() and "dags" not in path.parts]
    assert any(path.suffix == ".log" for path in files)
    found = [(path.name, canary) for path in files for canary in CANARIES if canary.encode() in path.read_bytes()]
    assert found == []


@started_together
def to_clear(
    airflow: LocalAirflow, sends_simulators: dict[str, ThreadSimulator], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    folder = tmp_path_factory.mktemp("to_clear")
    (folder / "people.csv").write_text("\n".join(["address", *PEOPLE]))
    sends_simulators["send_cleared"].change_settings(send_plan={"processing_for": 2.0})
    return airflow.start_run("sends_to_clear", {"folder": str(folder)})


@pytest.mark.postgres
def test_a_cleared_send_takes_what_was_sent_and_sends_nothing(
    airflow: LocalAirflow, to_clear: Run, sends_simulators: dict[str, ThreadSimulator]
) -> None:
    names = ("sent", -1), ("waited_for", -1), ("mapped", 0), ("mapped", 1)
    to_clear.check()
    sent = [one.operation_id for one in sends_simulators["send_cleared"].sends]
    assert len(sent) == 4 * 3

    to_clear.clear()
    airflow.wait_for_run(to_clear, RUN_SECONDS)

    to_clear.check()
    assert [to_clear.task(*name).try_number for name in names] == [2, 2, 2, 2]
    assert [one.operation_id for one in sends_simulators["send_cleared"].sends] == sent
    results = [to_clear.xcom(name, map_index=index) for name, index in names]
    assert sorted(taken for result in results for taken in _ids(result)) == sorted(sent)
    assert all("not sent again" in to_clear.log(*name) for name in names)


def _ids(result: dict[str, Any]) -> list[str]:
    return [one if isinstance(one, str) else one["id"] for one in result["operations"]]


@started_together
def newsletter(airflow: LocalAirflow, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Run:
    simulator.change_settings(send_plan={"processing_for": 3.0})
    return airflow.start_run("comms_newsletter", {"folder": str(tmp_path_factory.mktemp("newsletter"))})


def test_the_newsletter(newsletter: Run) -> None:
    newsletter.check()
    assert newsletter.xcom("report") == "25 of 25 reached (100.0 %)"


@started_together
def order_messages(airflow: LocalAirflow) -> Run:
    return airflow.start_run("comms_order_messages")


def test_a_message_per_order(order_messages: Run) -> None:
    order_messages.check()


@started_together
def alert(airflow: LocalAirflow) -> Run:
    return airflow.start_run("comms_alert_by_email")


def test_an_alert_by_email(alert: Run, simulator: Simulator) -> None:
    assert alert.state == "failed"

    def is_sent() -> bool:
        return [one["recipients"] for one in simulator.sends("emails")["recent"]].count(2) == 1

    # Airflow calls back after it has told the scheduler of the failure.
    wait_for(is_sent, what="the alert", seconds=20, every=0.2)

"""
What a send to a million recipients of a file takes: time, memory, and what was accepted.

It matters because it runs on a worker beside others: memory must not grow with the recipients, and no more than one
request may be on its way.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import MEGABYTE, apart, peak_memory, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api

FEW, ALL = 10_000, 1_000_000
MOST_GROWTH = Bound("≤", 60, "MB")
ONE = Bound("≤", 1, "")
NONE = Bound("≤", 0, "")
MOST_XCOM = Bound("≤", 16_000, "bytes")


def run() -> Report:
    with simulated_api() as api:
        few = apart(send, url=api.url, count=FEW)
        all_of_them = apart(send, url=api.url, count=ALL)
    growth = all_of_them["peak"] - few["peak"]
    missing = ALL - all_of_them["distinct"]
    return Report(
        "a_million_recipients",
        "what does a send to a million recipients of a file take?",
        "",
        [
            Figure(what=f"{ALL:,}, to the last answer", ours=all_of_them["seconds"], unit="s"),
            Figure(what=f"{ALL:,}: CPU of the task", ours=all_of_them["cpu"], unit="s"),
            Figure(what=f"peak of {FEW:,}", ours=few["peak"], unit="MB"),
            Figure(what=f"peak of {ALL:,}", ours=all_of_them["peak"], unit="MB"),
            Figure(what="growth", ours=growth, unit="MB", bound=MOST_GROWTH, judged=growth),
            Figure(what="the file", ours=all_of_them["file"], unit="MB"),
            Figure(what="requests", ours=all_of_them["sends"], unit=""),
            Figure(
                what="on their way at once",
                ours=all_of_them["in_flight"],
                unit="",
                bound=ONE,
                judged=all_of_them["in_flight"],
            ),
            Figure(
                what="sent it twice",
                ours=all_of_them["repeated"],
                unit="people",
                bound=NONE,
                judged=all_of_them["repeated"],
            ),
            Figure(what="forgotten", ours=missing, unit="people", bound=NONE, judged=missing),
            Figure(what="XCom", ours=all_of_them["xcom"], unit="bytes", bound=MOST_XCOM, judged=all_of_them["xcom"]),
        ],
        ["Each row of the file has an address and two variables; a row in a hundred repeats another one's address."],
    )


def send(url: str, count: int) -> dict[str, float]:
    """Send to recipients of a file; return what it took and what was accepted."""
    from airflow_provider_comms.operators.send import CommsSendEmailsOperator

    api = SimulatedApi(url)
    api.reset()
    os.environ["AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"] = api.connection("twilio_comms")
    with TemporaryDirectory() as folder:
        path = Path(folder, "people.csv")
        _write(path, count)
        operator = CommsSendEmailsOperator(
            task_id="send",
            from_={"address": "news@example.com", "name": "News"},
            to=str(path),
            subject="Spring",
            html="<p>Hi {{ first_name | default: 'there' }}, spring has come to {{ city | default: 'you' }}.</p>",
        )
        context: Any = {"ti": _TaskInstance(), "task_state_store": _Store()}
        with spending(freeze=False) as spent:
            xcom = operator.execute(context)
        size = path.stat().st_size / MEGABYTE
    accepted = api.sends()
    return {
        "seconds": spent.seconds,
        "cpu": spent.cpu,
        "peak": peak_memory(),
        "file": size,
        "in_flight": api.counts()["max_in_flight"],
        "xcom": len(json.dumps(xcom)),
        "sends": accepted["sends"],
        "distinct": accepted["distinct"],
        "repeated": len(accepted["repeated"]),
    }


def _write(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write("address,first_name,city\n")
        for number in range(count):
            file.write(f"person{number}@example.com,Kim {number},Berlin\n")
            if number % 100 == 0:
                file.write(f"Person{number}@Example.com,Kim,Bonn\n")


class _TaskInstance:
    dag_id, run_id, task_id, map_index, try_number = "newsletter", "manual__1", "send", -1, 1


class _Store(dict[str, Any]):
    """A task state store."""

    set = dict.__setitem__
    delete = dict.__delitem__

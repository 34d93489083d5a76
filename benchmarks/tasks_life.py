"""
What a task costs beside its wait: its first look in a fresh process, its resume, and the stats of many operations.

It matters because each of them is a process of its own on a worker: with a thousand waits a day, imports are most of
what they cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.fetch_concurrently import operation_ids
from benchmarks.listing_peers import PATH, load_airflow
from benchmarks.measure import alternate, apart, spending
from benchmarks.report import Bound, Figure, Report
from benchmarks.simulated import SimulatedApi, simulated_api

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS = 5000
ROUNDS = 5
MOST_TO_HOOK, MOST_TO_SENSOR, MOST_OF_ONE_BY_ONE = Bound("≤", 1.25), Bound("≤", 0.5), Bound("≤", 0.1)
"""A look is a request and all that a wait needs; a resume is neither; the operator lists where that is cheaper."""


def run() -> Report:
    with simulated_api(emails=OPERATIONS) as api:
        env = {
            "AIRFLOW_CONN_HTTP_DEFAULT": api.connection("http"),
            "AIRFLOW_CONN_TWILIO_COMMS_DEFAULT": api.connection("twilio_comms"),
        }
        ids = apart(operation_ids, **api.access)
        event = apart(event_of, ids=ids[:1], **api.access)
        figures = [
            _figure("first look of a sensor; HttpHook, one GET", env, MOST_TO_HOOK, look, get, ids=ids[:1]),
            _figure("resume of a sensor; HttpSensor", env, MOST_TO_SENSOR, resume, resume_http, event=event),
            *_stats(api, env, ids),
        ]
    return Report(
        "tasks_life",
        "what does a task cost beside its wait?",
        "Airflow's HTTP provider",
        figures,
        [
            "CPU from the first import of the provider on, in a fresh process that has loaded Airflow;",
            f"medians of {ROUNDS} rounds in turn. The stats once.",
        ],
    )


def _figure(
    what: str, env: dict[str, str], bound: Bound, ours: Callable[..., Any], peer: Callable[..., Any], **arguments: Any
) -> Figure:
    loads = [lambda load=load: float(apart(load, env=env, **arguments)) for load in (ours, peer)]
    mine, theirs = alternate(ROUNDS, *loads)
    return Figure.of_rounds(f"CPU of the {what}", mine, theirs, bound)


def _stats(api: SimulatedApi, env: dict[str, str], ids: list[str]) -> list[Figure]:
    spent, requests = [], []
    for load in (export, get):
        api.forget_requests()
        spent.append(float(apart(load, env=env, ids=ids)))
        requests.append(api.counts()["total"])
    ratio = spent[0] / spent[1]
    what = f"stats of {OPERATIONS:,} operations"
    return [
        Figure(
            what=f"CPU of the {what}; HttpHook, a GET each",
            ours=spent[0],
            peer=spent[1],
            unit="s",
            ratio=ratio,
            bound=MOST_OF_ONE_BY_ONE,
            judged=ratio,
        ),
        Figure(what=f"requests for the {what}", ours=requests[0], peer=requests[1], unit=""),
    ]


def look(ids: list[str]) -> float:
    """Import the sensor and poke it once."""
    load_airflow()
    with spending(freeze=False) as spent:
        from airflow_provider_comms.sensors.operation import CommsOperationSensor

        assert CommsOperationSensor(task_id="wait", resource="emails", operation_id=ids[0]).poke({})
    return spent.cpu


def export(ids: list[str]) -> float:
    """Import the operator and let it read all."""
    load_airflow()
    with spending(freeze=False) as spent:
        from airflow_provider_comms.operators.stats import CommsExportStatsOperator

        result: Any = CommsExportStatsOperator(task_id="export", resource="emails", operation_id=ids).execute({})
    assert len(result["operations"]) == len(ids)
    return spent.cpu


def get(ids: list[str]) -> float:
    """Import Airflow's hook for HTTP and get each operation."""
    load_airflow()
    with spending(freeze=False) as spent:
        from airflow.providers.http.hooks.http import HttpHook

        hook = HttpHook(method="GET", http_conn_id="http_default")
        assert all(hook.run(f"{PATH}/{one}").json()["id"] == one for one in ids)
    return spent.cpu


def resume(event: dict[str, Any]) -> float:
    """Import the sensor and resume it."""
    load_airflow()
    with spending(freeze=False) as spent:
        from airflow_provider_comms.sensors.operation import CommsOperationSensor

        [operation] = event["operations"]
        sensor = CommsOperationSensor(task_id="wait", resource="emails", operation_id=operation["id"], deferrable=True)
        assert sensor.execute_complete({}, event)
    return spent.cpu


def resume_http(event: dict[str, Any]) -> float:
    """Import Airflow's sensor for HTTP and resume it."""
    load_airflow()
    with spending(freeze=False) as spent:
        from airflow.providers.http.sensors.http import HttpSensor

        HttpSensor(task_id="wait", endpoint=PATH, deferrable=True).execute_complete({}, event)
    return spent.cpu


def event_of(ids: list[str], **access: Any) -> dict[str, object]:
    """Return the event of a wait that has seen an operation end."""
    from airflow_provider_comms.comms.client import CommsClient
    from airflow_provider_comms.comms.settings import ClientSettings
    from airflow_provider_comms.waiting.event import WaitEnd, encode
    from airflow_provider_comms.waiting.payload import operation_xcom
    from airflow_provider_comms.waiting.verdict import Finished

    with CommsClient(ClientSettings(**access)) as client:
        operations = [operation_xcom(client.get_operation("emails", one)) for one in ids]
    return encode(WaitEnd(verdict=Finished(), operations=operations, is_list=False, waited=1.0, resource="emails"))

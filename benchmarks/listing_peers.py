"""
What else lists operations in a task: `requests` with `json`, and Airflow's own operator for APIs with pages.

All of them are measured in a process that has loaded what a task's process has: the garbage collector goes through
all of Airflow again and again while pages are parsed, and that is most of what a careless listing costs there.
"""

from __future__ import annotations

from importlib import import_module

PAGE_SIZE = "1000"
PATH = "/v1/Emails/Operations"


def load_what_a_task_has() -> None:
    """Import what stands in the memory of a process that runs a task of Airflow's HTTP provider."""
    load_airflow()
    import_module("airflow.providers.http.operators.http")


def load_airflow() -> None:
    """Import what stands in the memory of a process that is about to run a task."""
    for name in ("airflow.sdk", "airflow.models"):
        import_module(name)
    try:
        import_module("airflow.sdk.execution_time.task_runner")
    except ImportError:  # Before Airflow 3 a task's process is one of the scheduler's code.
        import_module("airflow.jobs.local_task_job_runner")


def list_with_requests(base_url: str, username: str, password: str) -> int:
    """Follow the pages with nothing around it; return the number of operations."""
    import requests

    count, query = 0, {"pageSize": PAGE_SIZE}
    with requests.Session() as session:
        session.auth = (username, password)
        while True:
            response = session.get(base_url + PATH, params=query, timeout=60)
            response.raise_for_status()
            page = response.json()
            count += sum(1 for _ in page["operations"])
            if not (token := page["pagination"]["next"]):
                return count
            query["pageToken"] = token


def list_with_http_operator() -> int:
    """Do the same with HttpOperator, over the connection `http_default`; return the number of operations."""
    from airflow.providers.http.operators.http import HttpOperator

    def following(response):
        token = response.json()["pagination"]["next"]
        return {"data": {"pageToken": token}} if token else None

    listing = HttpOperator(
        task_id="listing",
        method="GET",
        endpoint=PATH,
        data={"pageSize": PAGE_SIZE},
        pagination_function=following,
        response_filter=lambda responses: sum(len(response.json()["operations"]) for response in responses),
    )
    return int(listing.execute_sync({}))

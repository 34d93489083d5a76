"""
A real web UI of Airflow, in a real browser: Debian's Chromium, driven by Playwright.

What an older Airflow cannot do is skipped. `COMMS_SCREENSHOTS=docs/images` keeps the pictures for the docs.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow import __version__ as airflow_version
from packaging.version import Version

from airflow_provider_comms.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium")
AIRFLOW = Version(airflow_version)
FIRST_WITH_THIS_UI = Version("3.1")
# Without these, Chromium calls home on its own; as root it needs the first.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def why_no_browser() -> str | None:
    """Return why no browser test can run here."""
    if CHROMIUM is None:
        return "there is no Chromium: run .ci/install-chromium"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "Playwright's Python package is missing"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    too_old = f"Airflow {AIRFLOW} has another web UI" if AIRFLOW < FIRST_WITH_THIS_UI else None
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.ui)
        needs_browser = "browser" in getattr(item, "fixturenames", ())
        if reason := too_old or (why_no_browser() if needs_browser else None):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def processes(tmp_path_factory):
    from local_airflow.processes import Processes

    with Processes(tmp_path_factory.mktemp("component-logs")) as processes:
        yield processes


@pytest.fixture(scope="session")
def airflow(processes, tmp_path_factory):
    """An API server, which serves the web UI; `airflow.start_component("scheduler")` adds a worker."""
    from local_airflow.airflow import LocalAirflow
    from local_airflow.waiting import wait_for

    dags = tmp_path_factory.mktemp("dags")
    airflow = LocalAirflow(tmp_path_factory.mktemp("airflow"), dags, processes, connections={})
    airflow.migrate()
    airflow.start_component("API server")

    def answers() -> bool:
        processes.check()
        return airflow.api.health().get("metadatabase") == "healthy"

    wait_for(answers, what="the API server", seconds=200)
    airflow.api.log_in()
    yield airflow
    airflow.api.close()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


# Not for the session: while it lives, its thread has a running event loop.
@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # A loaded machine is slow, not wrong.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def complaints(request) -> list[str]:
    """What the browser's console holds against us; must be empty at the end of each test."""
    return []


@pytest.fixture
def page(browser, complaints, airflow):
    context = browser.new_context(viewport={"width": 1000, "height": 900}, locale="en-US", color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(45_000)
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # The first visit logs in, which older Airflows begin with a 401.
    page.goto(airflow.url)
    page.get_by_role("link", name="Home").first.wait_for()
    complaints.clear()
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def connections(page, airflow, tmp_path):
    from tests.ui.connections_page import ConnectionsPage

    kept = os.environ.get("COMMS_SCREENSHOTS")
    pictures = Path(kept) if kept else tmp_path
    pictures.mkdir(parents=True, exist_ok=True)
    return ConnectionsPage(page, airflow.url, pictures).open()

"""The command line as a real process."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import httpx
import pytest

import airflow_provider_comms
from airflow_provider_comms.simulator.__main__ import main

COMMAND = [sys.executable, "-m", "airflow_provider_comms.simulator"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(airflow_provider_comms.__file__).parents[1])}


@pytest.fixture
def run():
    """Start the command; each process is ended after the test."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [*COMMAND, "--stop-after", "30", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_it_says_where_it_is_and_how_to_use_it(run):
    process, url = run("--emails", "2", "--messages", "3", "--scheduled", "60")
    process.terminate()
    how_to = process.stdout.read()
    exported = re.search(r"export (\w+)=(.+)", how_to)

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    assert exported[1] == "AIRFLOW_CONN_TWILIO_COMMS_DEFAULT"
    assert json.loads(shlex.split(exported[2])[0])["host"] == url


def test_its_operations_and_log(run):
    process, url = run(
        "--emails", "2", "--messages", "1", "--scheduled", "60", "--recipients", "7", "--log", "--seed", "5"
    )
    auth = ("AC" + "5100" * 8, "simulated-auth-token")
    emails = httpx.get(f"{url}/v1/Emails/Operations", auth=auth).json()["operations"]
    messages = httpx.get(f"{url}/v1/Messages/Operations", auth=auth).json()["operations"]
    process.terminate()
    _, log = process.communicate(timeout=20)

    assert [operation["status"] for operation in emails] == ["SCHEDULED"] * 2
    assert [operation["stats"]["scheduled"] for operation in messages] == [7]
    assert [line.split(" ->")[0].strip() for line in log.splitlines()] == [
        "GET /v1/Emails/Operations",
        "GET /v1/Messages/Operations",
    ]


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_even_while_a_client_hangs(run, signal_number):
    process, url = run()
    httpx.post(f"{url}/control/faults", json={"kind": "hang"})
    signalling = threading.Thread(target=signal_once_under_way, args=(process, url, signal_number))
    signalling.start()
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{url}/v1/Emails/Operations", timeout=20)
    signalling.join()

    assert process.wait(timeout=10) == 0  # It would live for 30 s; a busy machine takes some to end a process.


def signal_once_under_way(process, url, signal_number):
    """Send the signal while a request is waiting for its answer."""
    while httpx.get(f"{url}/control/requests").json()["in_flight"] < 1:
        time.sleep(0.01)
    process.send_signal(signal_number)


def test_it_stops_by_itself(run):
    begun = time.monotonic()
    process, _ = run("--stop-after", "0.3")

    assert process.wait(timeout=20) == 0
    assert time.monotonic() - begun >= 0.3


def test_it_stops_with_its_parent():
    code = f"""
        import subprocess, sys
        child = subprocess.Popen({[*COMMAND, "--with-parent", "--stop-after", "30"]}, stdout=subprocess.PIPE, text=True)
        print(child.stdout.readline().strip(), flush=True)
    """
    parent = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, check=True
    )
    url, deadline = parent.stdout.strip(), time.monotonic() + 10
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not answers(url)


def answers(url):
    try:
        return httpx.get(f"{url}/control/health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "must be a loopback address"),
        (["--port", "70000"], "port: Input should be less than or equal to 65535"),
        (["--port", "x"], "argument --port: invalid whole number value: 'x'"),
        (["--emails", "-1"], "argument --emails: must be at least 0"),
        (["--duration", "nan"], "argument --duration: must be at least 0"),
        (["--rate-limit", "0"], "argument --rate-limit: must be at least 1"),
        (["--ends-in", "FAILED"], "argument --ends-in: invalid choice"),
        (["--speed", "1"], "unrecognized arguments: --speed"),
    ],
)
def test_bad_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert message in capsys.readouterr().err

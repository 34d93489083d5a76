"""The commands as a shell meets them: output, errors, exit statuses."""

from __future__ import annotations

import csv
import gzip
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from airflow_provider_comms.comms import ClientSettings, CommsClient, EmailSend
from tests.fork_server import ForkServer

MODULE = (sys.executable, "-m", "airflow_provider_comms")
SOURCE = "environment variables TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
UNKNOWN = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"


@pytest.fixture
def environment(comms_simulator):
    return os.environ | {
        "TWILIO_ACCOUNT_SID": comms_simulator.account_sid,
        "TWILIO_AUTH_TOKEN": comms_simulator.auth_token,
        "COMMS_BASE_URL": comms_simulator.url,
    }


@pytest.fixture(scope="module")
def fork_server():
    """Without Airflow, which these commands load only for a connection of its."""
    with ForkServer(
        "airflow_provider_comms.cli.commands", "httpcore", "anyio._backends._asyncio", "rich.progress", "yaml"
    ) as server:
        yield server


@pytest.fixture
def run(environment, fork_server):
    def run(*arguments, **changes):
        env = {name: value for name, value in (environment | changes).items() if value is not None}
        done = fork_server.run("airflow_provider_comms", *arguments, env=env)
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "simulated-auth-token" not in done.stdout + done.stderr
        return done

    return run


def test_check_says_who_and_where(run, comms_simulator):
    done = run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{SOURCE}: Account SID AC…5100 can read e-mail and message operations at 127.0.0.1:")


def test_check_for_a_script(run, comms_simulator):
    comms_simulator.permit(comms_simulator.account_sid, "messages", allowed=False)
    done = run("check", "-o", "json")
    assert done.returncode == 0
    assert [(row["resource"], row["readable"], row["source"]) for row in json.loads(done.stdout)] == [
        ("emails", True, SOURCE),
        ("messages", False, SOURCE),
    ]


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"TWILIO_AUTH_TOKEN": "other"}, 6, "not accepted"),
        ({"TWILIO_AUTH_TOKEN": None}, 2, "TWILIO_AUTH_TOKEN is not"),
        ({"COMMS_BASE_URL": "https://comms.twilio.invalid"}, 7, "cannot be resolved (DNS)"),
        ({"COMMS_BASE_URL": "nonsense"}, 2, "base URL"),
    ],
)
def test_check_fails_with_a_cause(run, changes, status, says):
    done = run("check", **changes)
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr


def test_list_in_every_format(run, comms_simulator):
    ids = [comms_simulator.add_operation("emails", age=age, recipients=10) for age in (100, 200)]
    assert [one["id"] for one in json.loads(run("list", "emails", "-o", "json").stdout)] == ids
    listed = yaml.safe_load(run("list", "emails", "-o", "yaml").stdout)
    assert [(one["id"], one["stats"]["delivered"]) for one in listed] == [(one, 10) for one in ids]
    for form in ("table", "plain"):
        lines = run("list", "emails", "-o", form).stdout.splitlines()
        assert [one for line in lines for one in ids if one in line] == ids
        assert "delivered=10" in lines[-1] + lines[-2]


def test_list_filters_and_stops_at_its_limit(run, comms_simulator):
    old = comms_simulator.add_operation("messages", age=7200)
    comms_simulator.add_operation("messages", age=60, processing_for=600)
    done = run("list", "messages", "--status", "COMPLETED", "-o", "json")
    assert [one["id"] for one in json.loads(done.stdout)] == [old]
    assert len(json.loads(run("list", "messages", "--limit", "1", "-o", "json").stdout)) == 1
    assert json.loads(run("list", "messages", "--start-date", "2999-01-01", "-o", "json").stdout) == []
    assert run("list", "messages", "--start-date", "2999-01-01").stdout == "No data found\n"


@pytest.fixture
def sent(comms_simulator):
    """Send an e-mail with a tag; return the id of its operation."""
    settings = ClientSettings(
        username=comms_simulator.account_sid, password=comms_simulator.auth_token, base_url=comms_simulator.url
    )
    with CommsClient(settings) as client:
        sender = {"address": "news@example.com", "name": "News"}
        email = EmailSend(
            from_=sender, to=["canary@example.com"], subject="Hi", html="Hi", tags={"airflow.send": "1f0c"}
        )
        return client.send_emails(email).operation_id


def test_find_tells_whether_it_was_sent_and_as_what(run, sent):
    done = run("find", "emails", "--tag", "airflow.send:1f0c", "-o", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == [
        {
            "resource": "emails",
            "tag": "airflow.send:1f0c",
            "found": True,
            "operation_ids": [sent],
            "tags": {"airflow.send": "1f0c"},
        }
    ]
    for form in ("table", "plain", "csv"):
        done = run("find", "emails", "--tag", "airflow.send:1f0c", "--since", "1d", "-o", form)
        assert sent in done.stdout
        assert "yes" in done.stdout
        assert "canary" not in done.stdout


def test_find_tells_what_is_not_listed_from_what_nobody_can_tell(run, comms_simulator, sent):
    absent = run("find", "emails", "--tag", "airflow.send:1f0d")
    assert absent.returncode == 9
    assert "lists lag" in absent.stderr
    assert json.loads(run("find", "messages", "--tag", "airflow.send:1f0c", "-o", "json").stdout)[0]["found"] is False
    comms_simulator.fault(403, route="find")
    refused = run("find", "emails", "--tag", "airflow.send:1f0c")
    assert refused.returncode == 6
    assert "cannot tell" in refused.stdout
    assert "Not known whether it was sent: the look-up failed. 403 from GET /v1/Emails" in refused.stderr
    comms_simulator.clear_faults()
    comms_simulator.fault(429, route="find", retry_after=200)
    assert run("find", "emails", "--tag", "airflow.send:1f0c").returncode == 7


def test_find_says_so_where_it_was_sent_but_its_operation_cannot_be_looked_up(run, comms_simulator, sent):
    comms_simulator.fault(403, route="list")
    done = run("find", "emails", "--tag", "airflow.send:1f0c", "-o", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)[0]["operation_ids"] == []
    assert "It was sent; its operation could not be looked up. 403 from GET" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("emails",),
        ("letters", "--tag", "a:b"),
        ("emails", "--tag", "a"),
        ("emails", "--tag", "a:b", "--since", "yesterday"),
    ],
)
def test_find_refuses_what_cannot_be_looked_for(run, comms_simulator, arguments):
    assert run("find", *arguments).returncode == 2
    assert comms_simulator.requests == ()


def test_get_shows_one_or_says_why_not(run, comms_simulator):
    one = comms_simulator.add_operation("emails", age=100)
    assert json.loads(run("get", "emails", one, "-o", "json").stdout)[0]["status"] == "COMPLETED"
    missing = run("get", "emails", UNKNOWN)
    assert (missing.returncode, missing.stdout) == (6, "")
    assert "Twilio code 20404" in missing.stderr
    assert "to do: " in missing.stderr
    assert run("get", "emails", "..").returncode == 2
    assert run("get", "letters", one).returncode == 2
    elsewhere = run("get", "messages", one)
    assert elsewhere.returncode == 6
    assert f"Operation {one} is of resource 'emails'" in elsewhere.stderr


def test_wait_ends_with_the_operation(run, comms_simulator):
    one = comms_simulator.add_operation("emails", processing_for=1.5)
    done = run("wait", "emails", one, "--poke-interval", "0.3", "-o", "json")
    assert (done.returncode, done.stderr) == (0, f"Using {SOURCE}.\n")
    assert [(each["id"], each["status"]) for each in json.loads(done.stdout)] == [(one, "COMPLETED")]


def begin(environment, simulator, *arguments):
    """Start a command, and return when it has made its first request."""
    command = [*MODULE, *arguments]
    begun = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not simulator.request_counts()["total"]:
        assert begun.poll() is None
        time.sleep(0.05)
    return begun


def test_wait_tells_each_change_if_asked(environment, comms_simulator):
    one = comms_simulator.add_operation("emails", scheduled_for=600)
    waiting = begin(environment, comms_simulator, "wait", "emails", one, "--poke-interval", "0.2", "--verbose")
    while not comms_simulator.request_counts()["by_status"]:
        time.sleep(0.05)
    comms_simulator.advance(700)
    _, told = waiting.communicate(timeout=30)
    assert "SCHEDULED 0 %: 0 of 100 delivered, 100 scheduled" in told
    assert "COMPLETED: 100 of 100 delivered (100.0 %)" in told


@pytest.mark.parametrize(
    ("plan", "options", "ends"),
    [
        ({"ends_in": "CANCELED"}, (), (3, "CANCELED: ")),
        (
            {"recipients": 100, "failed": 0.5},
            ("--fail-if", "failed=2%"),
            (4, "failed = 50 (50.0 %), above the limit of 2 %"),
        ),
        ({"processing_for": 600}, ("--timeout", "3"), (5, "the operation has not finished")),
        ({}, ("--fail-if", "vanished=1"), (2, "not a counter of emails")),
    ],
)
def test_wait_has_a_status_for_each_end(run, comms_simulator, plan, options, ends):
    status, says = ends
    one = comms_simulator.add_operation("emails", **{"age": 100, "processing_for": 10, **plan})
    done = run("wait", "emails", one, "--poke-interval", "0.2", "-o", "json", *options)
    assert done.returncode == status
    assert says in done.stderr
    if status != 2:
        assert json.loads(done.stdout)[0]["id"] == one


def test_the_time_to_load_airflow_is_not_the_waits(run, comms_simulator):
    one = comms_simulator.add_operation("emails", processing_for=600)
    connection = {"AIRFLOW_CONN_OURS": comms_simulator.connection_json()}
    done = run("wait", "emails", one, "--timeout", "1.5", "--poke-interval", "60", "--conn-id", "ours", **connection)
    assert done.returncode == 5
    assert "polled 2 times" in done.stderr


def test_wait_for_several_waits_for_all_of_them(run, comms_simulator):
    canceled = comms_simulator.add_operation("emails", age=100, ends_in="CANCELED")
    later = comms_simulator.add_operation("emails", processing_for=1)
    done = run("wait", "emails", canceled, later, "--poke-interval", "0.3", "-o", "json")
    assert done.returncode == 3
    assert [one["status"] for one in json.loads(done.stdout)] == ["CANCELED", "COMPLETED"]


def test_wait_is_refused_at_once(run, comms_simulator):
    done = run("wait", "emails", UNKNOWN, "--grace", "0.01", "--timeout", "600")
    assert (done.returncode, done.stdout) == (6, "")
    assert "404" in done.stderr


def test_wait_sits_out_trouble(run, comms_simulator):
    one = comms_simulator.add_operation("emails", age=100)
    comms_simulator.fault(503, times=2, retry_after=0)
    assert run("wait", "emails", one, "--poke-interval", "0.2").returncode == 0


@pytest.mark.parametrize("fault", [None, "hang"], ids=["between two looks", "during a look"])
def test_an_interrupt_stops_it_at_once(environment, comms_simulator, fault):
    one = comms_simulator.add_operation("emails", processing_for=600)
    if fault:
        comms_simulator.fault(fault)
    waiting = begin(environment, comms_simulator, "wait", "emails", one, "--poke-interval", "60")
    time.sleep(0.3)
    waiting.send_signal(signal.SIGINT)
    started = time.monotonic()
    out, err = waiting.communicate(timeout=10)
    assert (waiting.returncode, out) == (130, "")
    assert err == f"Using {SOURCE}.\nInterrupted. This does not cancel the operations at Twilio.\n"
    assert time.monotonic() - started < 1


def test_a_reader_that_leaves_is_no_error(environment, comms_simulator):
    comms_simulator.seed("emails", 500)
    listing = subprocess.Popen(
        [*MODULE, "list", "emails", "--limit", "0", "-o", "json"],
        # Unbuffered, Python takes the half of a write for the whole.
        env=environment | {"PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    listing.stdout.read(10)
    listing.stdout.close()
    assert listing.wait(30) == 141
    assert listing.stderr.read() == f"Using {SOURCE}.\n".encode()
    listing.stderr.close()


def on_a_terminal(environment, *arguments, watch=None):
    """
    Run a command whose standard error is a terminal.

    :param watch: is called with the process and what was drawn so far, at each piece that is drawn.
    :return: exit status, standard output, what was drawn.
    """
    master, slave = pty.openpty()
    env = environment | {"TERM": "xterm-256color", "COLUMNS": "160"}
    process = subprocess.Popen([*MODULE, *arguments], env=env, stdin=slave, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    drawn = b""
    while select.select([master], [], [], 20)[0]:
        try:
            drawn += os.read(master, 65_536)
        except OSError:  # the other end has closed
            break
        if watch:
            watch(process, drawn)
    out, _ = process.communicate(timeout=10)
    os.close(master)
    return process.returncode, out.decode(), drawn.decode()


def test_a_terminal_sees_a_bar_with_moving_counters(environment, comms_simulator):
    one = comms_simulator.add_operation("emails", processing_for=600, recipients=1000)

    def move(_process, _drawn):
        comms_simulator.advance(10)

    status, out, drawn = on_a_terminal(
        environment, "wait", "emails", one, "--poke-interval", "0.4", "-o", "json", watch=move
    )
    assert status == 0
    assert json.loads(out)[0]["status"] == "COMPLETED"
    assert "PROCESSING" in drawn
    assert "100%" in drawn
    assert len({part for part in drawn.split() if part.startswith("queued=")}) > 2


def test_log_lines_stand_above_the_bar_of_a_terminal(environment, comms_simulator):
    one = comms_simulator.add_operation("emails", processing_for=600)

    def move(_process, drawn):
        if b"PROCESSING" in drawn:
            comms_simulator.advance(700)

    _, _, drawn = on_a_terminal(environment, "wait", "emails", one, "--poke-interval", "0.4", "--verbose", watch=move)
    assert "\x1b[" in drawn
    assert "PROCESSING" in drawn
    assert one in drawn.replace("\r\n", "")


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_terminal_has_its_cursor_back_after_a_signal(environment, comms_simulator, sent, status):
    one = comms_simulator.add_operation("emails", processing_for=600)

    signals = [sent]

    def end(process, drawn):
        if b"PROCESSING" in drawn and signals:
            process.send_signal(signals.pop())

    ended, out, drawn = on_a_terminal(environment, "wait", "emails", one, "--poke-interval", "60", watch=end)
    assert (ended, out) == (status, "")
    assert drawn.rfind(SHOW_CURSOR) > drawn.rfind(HIDE_CURSOR) > 0
    assert "does not cancel the operations at Twilio" in drawn


@pytest.mark.parametrize("output", ["json", "yaml", "table", "plain"])
def test_a_full_disk_is_said_and_has_a_status(environment, comms_simulator, output):
    comms_simulator.add_operation("emails", age=100)
    for arguments in (("list", "emails", "-o", output), ("check", "-o", output)):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [*MODULE, *arguments], env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 8
        assert done.stderr.endswith("Could not write the result: No space left on device.\n")
        assert "Traceback" not in done.stderr


def shell(environment, line):
    """Run a line of shell, in which "$@" is the command."""
    command = ["sh", "-c", line, "sh", *MODULE]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ('"$@" list emails >&-', 8, "standard output is closed"),
        ('"$@" list emails -o json 2>&-', 0, ""),
        ('"$@" list emails -o json <&-', 0, "Using"),
        ('"$@" get emails .. >&- 2>&- <&-', 2, ""),
        ('"$@" get emails .. 2>/dev/full', 2, ""),
        ('"$@" list emails >&- 2>&- <&-', 8, ""),
    ],
)
def test_closed_descriptors(environment, comms_simulator, line, status, says):
    done = shell(environment, line)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout in ("", "[]\n")


@pytest.mark.parametrize(
    ("encoding", "arguments"),
    [
        ("ascii", ("check",)),
        ("latin-1", ("check", "-o", "table")),
        ("cp1252", ("check",)),
        ("ascii", ("list", "emails")),
    ],
)
def test_an_output_that_is_not_utf_8(environment, comms_simulator, encoding, arguments):
    comms_simulator.permit(comms_simulator.account_sid, "messages", allowed=False)
    env = environment | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([*MODULE, *arguments], env=env, capture_output=True, timeout=60, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert done.stdout.decode(encoding)


@pytest.mark.parametrize("number", ["1" + "0" * 30, "9" * 5000, "-1", "1e3", "nan"])
def test_absurd_limits_are_refused(run, number):
    done = run("list", "emails", f"--limit={number}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not an integer from 0 to 1000000000" in done.stderr


@pytest.mark.parametrize("option", ["--timeout", "--poke-interval", "--grace"])
@pytest.mark.parametrize("number", ["nan", "inf", "1e308", "-1", "0"])
def test_absurd_seconds_are_refused(run, option, number):
    done = run("wait", "emails", UNKNOWN, f"{option}={number}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a number of seconds above 0" in done.stderr


def test_without_credentials_it_loads_no_airflow(environment):
    code = "import sys; from airflow_provider_comms.cli import commands; sys.exit('airflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


SENT = {"processing_for": 0, "recipients": 200, "failed": 0.1, "opened": 0.5}


def test_a_report_in_words_with_its_page_and_rows(run, comms_simulator, tmp_path):
    comms_simulator.add_operation("emails", age=60, **SENT)
    page, rows = tmp_path / "report.html", tmp_path / "Out.jsonl.gz"

    done = run("report", "all", "--since", "7d", "--html", str(page), "--rows", str(rows))

    assert done.returncode == 0
    assert "- E-mails: 180 of 200 recipients reached (90.0 %), 20 not reached (10.0 %); 90 opened" in done.stdout
    assert "- No message operations" in done.stdout
    assert f"Wrote {page.as_uri()}" in done.stderr
    assert "180 of 200 recipients reached" in page.read_text()
    assert json.loads(gzip.decompress(rows.with_name("Out.jsonl.gz").read_bytes()))["reached"] == 180


def test_a_report_for_a_script(run, comms_simulator):
    comms_simulator.add_operation("emails", age=60, **SENT)

    done = run("report", "emails", "-o", "json", "--fail-if", "reached=<95%", "--status", "completed")

    assert done.returncode == 4
    assert json.loads(done.stdout)["emails"]["figures"]["reached"] == 180
    assert "emails: reached = 180 (90.0 %), below the limit of 95 %" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "soon"], "is not a duration"),
        (["--since", "1d", "--start-date", "2026-11-20"], "--since names the whole window"),
        (["--end-date", "2026-11-20"], "--end-date is given without --start-date"),
        (["--timezone", "Mars"], "timezone='Mars' is unknown"),
        (["--rows", "rows.xlsx"], "does not end in a known format"),
        (["--fail-if", "bounced=1"], "bounced"),
        (["--fail-if", "read=1"], "which is not a counter of emails"),
    ],
)
def test_a_report_that_cannot_be_made_sends_nothing(run, comms_simulator, arguments, message):
    done = run("report", "emails", *arguments)

    assert done.returncode == 2
    assert message in done.stderr
    assert not comms_simulator.requests


def test_a_report_whose_file_cannot_be_written(run, tmp_path):
    (tmp_path / "taken.html").mkdir()

    assert run("report", "emails", "--html", str(tmp_path / "taken.html")).returncode == 8


def test_a_list_as_csv_since_a_while_ago(run, comms_simulator):
    comms_simulator.add_operation("emails", age=60, **SENT)
    comms_simulator.add_operation("emails", age=7200, **SENT)

    done = run("list", "emails", "--since", "1h", "--status", "completed", "-o", "csv")

    (row,) = csv.DictReader(done.stdout.splitlines())
    assert (row["failed"], row["reached"], row["reached_of_recipients"]) == ("20", "180", "0.9")


def test_a_list_since_and_from_is_refused(run):
    assert run("list", "emails", "--since", "1h", "--start-date", "2026-11-20").returncode == 2

"""
Runs docs/quickstart.md as written, in an empty environment, and holds what it shows against what comes out.

    python .ci/quickstart.py 3.3 dist/airflow_provider_comms-0.1.0-py3-none-any.whl

Every bash block runs in one shell, in order; a comment above a block may say that it does not run, or runs in the
background. `--write` puts what came out into the page instead.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from difflib import unified_diff
from pathlib import Path
from shutil import which
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "quickstart.md"
BLOCK = re.compile(r"(?:<!-- (?P<how>[^\n]*?) -->\n)?```(?P<language>\w+)\n(?P<code>.*?)```", re.DOTALL)
PORT = 8000
SECONDS = 480
# What differs from run to run.
VOLATILE = [
    (re.compile(r"comms_operation_[0-9a-z.]+"), "comms_operation_..."),
    (re.compile(r"after [0-9]+ s"), "after ... s"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "2026-11-29T..."),
]
FIRST_ID = (
    "python -m airflow_provider_comms list emails --conn-id twilio_comms_default --output json"
    " | python -c 'import json, sys; print(json.load(sys.stdin)[0][\"id\"])'"
)
PYTHONS = {"lowest": "3.11", "2.11": "3.11"}


def main() -> int:
    """Run it; return the exit status."""
    arguments = [one for one in sys.argv[1:] if one != "--write"]
    airflow, wheel = arguments[0], Path(arguments[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="stranger-") as folder:
        home = Path(folder)
        begun = time.monotonic()
        python = install(home / "venv", airflow, wheel)
        page = PAGE.read_text()
        output = run(script(page), home, python)
        shown = with_output(page, output, xcom(home))
        seconds = time.monotonic() - begun
    if "--write" in sys.argv:
        PAGE.write_text(shown)
    elif stable(shown) != stable(page):
        print(output[-6000:])
        print(*differences(page, shown), sep="\n")
        print(
            f"FAILED: on Airflow {airflow}, {PAGE.name} shows what does not come out; write it: {__file__} ... --write"
        )
        return 1
    print(f"The quickstart runs as written on Airflow {airflow}, from {wheel.name}, in {seconds:.0f} s.")
    return 0


def install(venv: Path, airflow: str, wheel: Path) -> Path:
    """Make an environment that holds Airflow and the wheel and nothing else; return its folder of programs."""
    uv = Path(sys.executable).with_name("uv")
    python = which(f"python{PYTHONS.get(airflow, '3.11')}") or sys.executable
    subprocess.run([uv, "venv", "--quiet", "--python", python, venv], check=True)
    constraints = ROOT / "constraints" / f"airflow-{airflow}.txt"
    target = ["--python", venv / "bin" / "python", "-c", constraints]
    subprocess.run(
        [uv, "pip", "install", "--quiet", *target, wheel, f"apache-airflow=={version_in(constraints)}"], check=True
    )
    return venv / "bin"


def version_in(constraints: Path) -> str:
    """Return the Airflow that is pinned there."""
    found = re.search(r"^apache-airflow==(\S+)$", constraints.read_text(), re.MULTILINE)
    if not found:
        raise SystemExit(f"{constraints} pins no Airflow")
    return found[1]


def script(page: str) -> str:
    """Return the page's commands as one shell script."""
    lines = ["set -euo pipefail"]
    for block in BLOCK.finditer(page):
        how, code = block["how"] or "", block["code"]
        if block["language"] == "python":
            lines += ["mkdir -p ~/airflow/dags", f"cat > ~/airflow/dags/newsletter.py <<'END OF DAG'\n{code}END OF DAG"]
        elif block["language"] == "bash" and "the id is taken" in how:
            lines += [f"OPERATION_ID=$({FIRST_ID})"]
        elif block["language"] == "bash" and "in the background" in how:
            lines += [
                f"{code.strip()} --with-parent >simulator.txt &",
                "until [ -s simulator.txt ]; do sleep 0.1; done",
            ]
        elif block["language"] == "bash" and not how.startswith("not run"):
            lines += [code]
    return "\n".join(lines)


def run(commands: str, home: Path, programs: Path) -> str:
    """Run the commands in a home of their own; return what they print."""
    with socket.socket() as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind(("127.0.0.1", PORT))  # The page names it: whoever holds it would be talked to.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON", "COMMS"))}
    env |= {"HOME": str(home), "PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "200"}
    env |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["bash", "-c", commands], cwd=home, env=env, check=False, timeout=SECONDS,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode:
        print(done.stdout[-8000:])
        raise SystemExit(f"FAILED: the quickstart ended with status {done.returncode}")
    return done.stdout


def xcom(home: Path) -> Any:
    """Return what `wait` returned, as Airflow's database has it."""
    query = "select value from xcom where task_id = 'wait' and key = 'return_value'"
    with sqlite3.connect(home / "airflow" / "airflow.db") as database:
        (value,) = database.execute(query).fetchone()
    while isinstance(value, (str, bytes)):  # Airflow 3 stores JSON within JSON.
        value = json.loads(value)
    return value


def with_output(page: str, output: str, value: Any) -> str:
    """Return the page with what came out in the place of what it shows."""
    waits = re.findall(r"((?:SCHEDULED|PROCESSING|COMPLETED)\b[^\n]*\(emails comms_operation_\w+\))", output)
    tells = re.findall(r"\d+ of \d+ reached", output)
    first_and_last = "\n".join(dict.fromkeys([*waits[:1], *waits[-1:]]))
    shown = {
        "log: wait": re.sub(r"(comms_operation_.{4})\w+", r"\1...", first_and_last),
        "log: summarize": tells[-1] if tells else "nothing",
        "xcom: wait": as_json(value),
    }

    def replaced(block: re.Match[str]) -> str:
        new = shown.get(block["how"] or "")
        return block[0].replace(block["code"], f"{new}\n") if new else block[0]

    return BLOCK.sub(replaced, page)


def as_json(value: dict[str, Any]) -> str:
    """Return JSON with a line for each field, as wide as a page."""
    lines = [f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def stable(page: str) -> str:
    """Return the page without what differs from run to run."""
    for pattern, text in VOLATILE:
        page = pattern.sub(text, page)
    # How far the first poll finds the operation, or whether it has ended by then, depends on how fast the machine is.
    return re.sub(r"^(SCHEDULED|PROCESSING)\b.*\n", "", page, flags=re.MULTILINE)


def differences(page: str, shown: str) -> list[str]:
    """Return what differs, as a diff."""
    return list(unified_diff(stable(page).splitlines(), stable(shown).splitlines(), "page", "came out", lineterm=""))


if __name__ == "__main__":
    sys.exit(main())

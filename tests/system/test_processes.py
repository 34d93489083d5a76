from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from local_airflow.errors import ComponentError
from local_airflow.processes import Processes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

# Like one of Airflow's tasks, the inner process leaves the process group of its parent.
FAMILY = """
import subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], process_group=0)
print(inner.pid, flush=True)
time.sleep(60)
"""
OWNER = f"""
import os, sys, time
from pathlib import Path
from local_airflow.processes import Processes
with Processes(Path(sys.argv[1])) as processes:
    print(processes.start("family", [sys.executable, "-c", {FAMILY!r}], os.environ).process.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nobody_survives_the_end_of_the_owner(number: signal.Signals, tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE)
    assert owner.stdout
    outer = psutil.Process(int(owner.stdout.readline()))
    inner = psutil.Process(int(_first_line(tmp_path / "family.log")))

    owner.send_signal(number)
    owner.communicate()

    _, alive = psutil.wait_procs([outer, inner], timeout=15)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_component_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start("clock", [sys.executable, "-c", "print('no hands'); exit(3)"], {}).process.wait()

        with pytest.raises(ComponentError, match="clock ended early, with exit code 3") as caught:
            processes.check()

    assert "no hands" in caught.value.details


def _first_line(file: Path) -> str:
    end = time.monotonic() + 10
    while not (file.exists() and file.read_text().endswith("\n")):
        assert time.monotonic() < end, "the family did not start"
        time.sleep(0.05)
    return file.read_text()

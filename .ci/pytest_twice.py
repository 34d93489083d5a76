"""
Runs pytest with the given arguments; what fails runs once more, by itself.

A test that fails and then passes is printed as `FLAKY: <test id>`: the run may succeed, for a busy machine can make a
socket late, but such a test is a defect to fix. The last line counts all tests as pytest does. Where TEST_SUMMARY
names a file, that line is appended to it. ONCE=1 leaves out the second run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

SOME_FAILED = 1


def main() -> int:
    """Run pytest, once or twice; return its exit status."""
    begun = time.monotonic()
    with TemporaryDirectory(prefix="pytest-twice-") as folder:
        status, counts = run(folder, "--cache-clear", *sys.argv[1:])
        first = set() if os.environ.get("ONCE") else failed_in(folder)
        if status == SOME_FAILED and first:
            print("What failed runs once more, by itself:", flush=True)
            status, _ = run(folder, "--last-failed", "--last-failed-no-failures=none", *first)
        flaky = sorted(first - failed_in(folder)) if first else []
    for test in flaky:
        print(f"FLAKY: {test}")
    counts["passed"] += len(flaky)
    counts["failed"] = max(0, counts["failed"] - len(flaky))
    report(Counter(counts, flaky=len(flaky)), time.monotonic() - begun)
    return status


def run(folder: str, *arguments: str) -> tuple[int, Counter[str]]:
    """Run pytest, with its cache in the folder; return its exit status and how many tests passed, failed, skipped."""
    results = Path(folder, "results.xml")
    command = [sys.executable, "-m", "pytest", "--quiet", "-o", f"cache_dir={folder}", f"--junitxml={results}"]
    status = subprocess.run([*command, *arguments], check=False).returncode
    counts: Counter[str] = Counter()
    if results.exists():
        for suite in ET.parse(results).iter("testsuite"):  # noqa: S314 - written by pytest
            number = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
            counts["failed"] += number["failures"] + number["errors"]
            counts["skipped"] += number["skipped"]
            counts["passed"] += number["tests"] - number["failures"] - number["errors"] - number["skipped"]
    return status, counts


def failed_in(folder: str) -> set[str]:
    """Return the ids of the tests that pytest's cache there has as failed."""
    cache = Path(folder, "v", "cache", "lastfailed")
    return set(json.loads(cache.read_text())) if cache.exists() else set()


def report(counts: Counter[str], seconds: float) -> None:
    """Print the closing line, as pytest has it."""
    parts = [f"{counts[name]} {name}" for name in ("failed", "passed", "skipped", "flaky") if counts[name]]
    line = f"{', '.join(parts) or 'no tests ran'} in {seconds:.2f}s"
    print(line, flush=True)
    if summary := os.environ.get("TEST_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"[pytest {' '.join(sys.argv[1:])}] {line}\n")


if __name__ == "__main__":
    sys.exit(main())

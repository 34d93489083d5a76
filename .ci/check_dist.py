"""
Holds what `make dist` built against the project: names, contents, metadata, and a long description whose links hold
where there is no repository beside it. `--again` builds it a second time, and wants the same bytes.

    python .ci/check_dist.py dist
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from email.parser import HeaderParser
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PACKAGE = "airflow_provider_comms"
RELATIVE_LINK = re.compile(r"\]\((?!https?://|#|mailto:)")


def main() -> int:
    """Check the folder; return the exit status."""
    folder = Path(sys.argv[1])
    wheels, sources = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    wrong = [] if len(wheels) == len(sources) == 1 else ["there is not exactly one wheel and one source distribution"]
    wrong += [fault for wheel in wheels for fault in faults_of_wheel(wheel)]
    wrong += [fault for source in sources for fault in faults_of_source(source)]
    if "--again" in sys.argv:
        wrong += faults_of_second_build(folder)
    print(*(f"{folder}: {fault}" for fault in wrong), sep="\n", end="\n" if wrong else "")
    print(
        *(f"{one.name}: {one.stat().st_size:,} bytes, sha256 {digest(one)[:12]}" for one in wheels + sources), sep="\n"
    )
    return 1 if wrong else 0


def faults_of_wheel(wheel: Path) -> list[str]:
    """Return what is wrong with the wheel."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        information = next(name.split("/")[0] for name in names if ".dist-info/" in name)
        metadata = HeaderParser().parsestr(archive.read(f"{information}/METADATA").decode())
        entry_points = archive.read(f"{information}/entry_points.txt").decode()
    here = {name for name in tracked() if name.startswith(f"{PACKAGE}/")}
    held = {name for name in names if not name.startswith(f"{information}/")}
    description = metadata.get_payload()
    checks = {
        f"it lacks {sorted(here - held)}": here - held,
        f"it holds more than the package: {sorted(held - here)}": held - here,
        "its description has links that hold in the repository only": RELATIVE_LINK.search(description),
        "its description shows nothing": len(description) < 1000,  # noqa: PLR2004
        "it has no licence": not any(name.startswith(f"{information}/licenses/") for name in names),
        "it has no entry point for Airflow": "[apache_airflow_provider]" not in entry_points,
        "it supports no Airflow": "Framework :: Apache Airflow :: Provider" not in metadata.get_all("Classifier", []),
    }
    return [f"{wheel.name}: {fault}" for fault, is_so in checks.items() if is_so]


def faults_of_source(source: Path) -> list[str]:
    """Return what is wrong with the source distribution."""
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    more = sorted(names - set(tracked()) - {"PKG-INFO", ""})
    return [f"{source.name}: it holds what is not in the repository: {more}"] if more else []


def faults_of_second_build(folder: Path) -> list[str]:
    """Build once more, elsewhere; return which files differ."""
    with tempfile.TemporaryDirectory(prefix="dist-again-") as again:
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "build", "--quiet", "--out-dir", again], cwd=ROOT, env=os.environ, check=True)
        return [
            f"{one.name} differs when it is built again"
            for one in sorted(folder.glob("airflow_provider_comms*"))
            if digest(one) != digest(Path(again, one.name))
        ]


def digest(path: Path) -> str:
    """Return the file's SHA-256."""
    return sha256(path.read_bytes()).hexdigest()


def tracked() -> list[str]:
    """Return the files of the repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())

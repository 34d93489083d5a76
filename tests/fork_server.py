"""
Commands (`python -m MODULE ...`) as processes of their own, without the seconds that Python takes to import Airflow.

A server imports what the commands need once, and each command is a fork of it. What a cold start does, and what
descriptors, terminals and signals do, needs real processes.

`python -m tests.fork_server MODULE ...` is the server: it imports the modules, then runs a command for each line.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import traceback
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]


class ForkServer:
    """
    Runs commands while it is used as a context manager.

    :param imports: modules that are imported once.
    """

    def __init__(self, *imports: str) -> None:
        self._command = [sys.executable, "-m", "tests.fork_server", *imports]

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate(timeout=10)

    def run(self, module: str, *arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run `python -m module arguments`, with nothing on its standard input, to its end."""
        with TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            job = {"module": module, "arguments": arguments, "env": dict(env), "out": str(out), "err": str(err)}
            self._server.stdin.write(f"{json.dumps(job)}\n")
            self._server.stdin.flush()
            status = int(self._server.stdout.readline())
            return subprocess.CompletedProcess([module, *arguments], status, out.read_text(), err.read_text())


def serve(answers: Any) -> None:
    """Run a command for each line of the standard input, and answer with its exit status."""
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            status = 1
            try:
                status = run(**json.loads(line))
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def run(module: str, arguments: list[str], env: dict[str, str], out: str, err: str) -> int:
    """Run a command in this process, with its own standard streams; return its exit status."""
    for descriptor, file, mode in ((0, os.devnull, "r"), (1, out, "w"), (2, err, "w")):
        with Path(file).open(mode) as opened:
            os.dup2(opened.fileno(), descriptor)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException:  # noqa: BLE001  (as the interpreter would)
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What an import writes is no answer.
    for name in sys.argv[1:]:
        import_module(name)
    serve(answers)

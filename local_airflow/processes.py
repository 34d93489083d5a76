"""Child processes: started in sessions of their own, watched, and all stopped in the end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from local_airflow import guard
from local_airflow.errors import ComponentError
from local_airflow.signals import hold_signals
from local_airflow.users import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from pwd import struct_passwd
    from types import TracebackType

TAIL_LINES = 40


@dataclass(frozen=True)
class Component:
    """One child process, the file that takes what it prints, and what starts another one like it."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    start_again: Callable[[], Component]

    def tail(self) -> str:
        """Return the last lines that the component printed."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def check(self) -> None:
        """Raise :class:`ComponentError` if the process has ended."""
        if self.process.poll() is not None:
            raise self.error(f"ended early, with exit code {self.process.returncode}")

    def error(self, what: str) -> ComponentError:
        """Return the error that says what happened, with the end of the component's log."""
        return ComponentError(f"The {self.name} {what}.", f"{self.log}, last lines:\n{self.tail()}")


class Processes:
    """
    Child processes; leaving the context stops them all.

    :param log_folder: where each component gets its ``<name>.log``
    """

    def __init__(self, log_folder: Path) -> None:
        self.log_folder = log_folder
        self.running: dict[str, Component] = {}

    def __enter__(self) -> Self:
        self.log_folder.mkdir(parents=True, exist_ok=True)
        self._guard = subprocess.Popen(
            [sys.executable, "-P", guard.__file__], stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._guard.communicate()
        for component in self.running.values():
            component.process.wait()

    def start(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        cwd: str | None = None,
        user: struct_passwd | None = None,
    ) -> Component:
        """
        Start one process in a session of its own.

        :param name: what the component is called in messages and in its log's file name
        :param command: the program and its arguments
        :param env: its whole environment
        :param cwd: the folder it starts in; None for the current one
        :param user: the user it runs as; None for the current one
        """
        log = self.log_folder / f"{name.replace(' ', '-')}.log"
        with hold_signals(), log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **identity(user),
            )
            self._register(process.pid)
        start_again = partial(self.start, name, command, env, cwd=cwd, user=user)
        self.running[name] = Component(name, process, log, start_again)
        return self.running[name]

    def run(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Run a process to its end; raise :class:`ComponentError` unless it succeeds."""
        component = self.start(name, command, env)
        if component.process.wait():
            raise component.error(f"ended with exit code {component.process.returncode}")
        del self.running[name]

    def stop(self, name: str, grace: float = guard.GRACE_SECONDS) -> None:
        """
        Stop one component with all its children.

        :param name: the component; one that does not run is left alone
        :param grace: seconds it may take to stop in its own way; 0 kills it at once
        """
        component = self.running.pop(name, None)
        if component is not None:
            guard.stop({component.process.pid}, grace)
            component.process.wait()

    def check(self) -> None:
        """Raise :class:`ComponentError` if a component has ended."""
        for component in self.running.values():
            component.check()

    def _register(self, pid: int) -> None:
        if self._guard.stdin:
            self._guard.stdin.write(f"{pid}\n".encode())
            self._guard.stdin.flush()

"""The commands without Airflow's own command line: `python -m airflow_provider_comms --help`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_comms.cli.exits import exit_now
from airflow_provider_comms.cli.parser import parser
from airflow_provider_comms.cli.run import run

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, and end the process with its exit status."""
    given = parser().parse_args(arguments)
    exit_now(run(given.command, given))


if __name__ == "__main__":
    main()

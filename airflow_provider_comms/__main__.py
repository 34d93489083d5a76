"""The commands without Airflow's own command line: `python -m airflow_provider_comms --help`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from airflow_provider_comms import __version__
from airflow_provider_comms.cli.definition import COMMANDS, HELP
from airflow_provider_comms.cli.exits import leave, run

if TYPE_CHECKING:
    from collections.abc import Sequence


def parser() -> ArgumentParser:
    """Return the parser of all commands."""
    made = ArgumentParser(prog="python -m airflow_provider_comms", description=f"{HELP}.")
    made.add_argument("--version", action="version", version=__version__)
    subparsers = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.name, help=command.help, description=f"{command.help}.", epilog=command.epilog
        )
        for argument in command.arguments:
            subparser.add_argument(*argument.flags, **argument.options)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, and end the process with its exit status."""
    given = parser().parse_args(arguments)
    leave(run(given.command, given))


if __name__ == "__main__":
    main()

"""The commands as Airflow 3.2 and later take them up: `airflow comms ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

from airflow_provider_comms.cli.parser import COMMANDS, HELP, NAME

if TYPE_CHECKING:
    from argparse import Namespace

    from airflow_provider_comms.cli.parser import Command


def get_cli_commands() -> list[GroupCommand]:
    """Return the group `comms`; Airflow asks for it at each of its commands, so nothing heavy is loaded here."""
    return [GroupCommand(name=NAME, help=HELP, subcommands=[_action(one) for one in COMMANDS])]


def _action(command: Command) -> ActionCommand:
    arguments = [Arg(flags=one.flags, **one.options) for one in command.arguments]

    def function(arguments: Namespace) -> None:
        from airflow_provider_comms.cli.exits import exit_now
        from airflow_provider_comms.cli.run import run

        exit_now(run(command.name, arguments, connection_first=True))

    function.__name__ = command.name  # Airflow's parser tells commands apart by it.
    return ActionCommand(command.name, command.help, function, arguments, epilog=command.epilog)

"""What ends in which exit status."""

from __future__ import annotations

import pytest

from airflow_provider_comms.cli.exits import Exit, exit_of
from airflow_provider_comms.cli.waiting import exit_after
from airflow_provider_comms.comms import errors
from airflow_provider_comms.waiting.verdict import Failed, Finished

COMPLETED, CANCELED = {"status": "COMPLETED"}, {"status": "CANCELED"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.CommsArgumentError, Exit.USAGE),
        (errors.CommsSettingsError, Exit.USAGE),
        (errors.CommsAuthenticationError, Exit.REFUSED),
        (errors.CommsPermissionError, Exit.REFUSED),
        (errors.CommsNotFoundError, Exit.REFUSED),
        (errors.CommsProtocolError, Exit.REFUSED),
        (errors.CommsRateLimitError, Exit.UNREACHABLE),
        (errors.CommsServerError, Exit.UNREACHABLE),
        (errors.CommsTimeoutError, Exit.UNREACHABLE),
    ],
)
def test_an_error_has_the_status_of_its_kind(error, status):
    assert exit_of(error("what")) is status


@pytest.mark.parametrize(
    ("verdict", "operations", "status"),
    [
        (Finished(), [COMPLETED, COMPLETED], Exit.OK),
        (Finished("canceled"), [COMPLETED, CANCELED], Exit.CANCELED),
        (Failed("threshold", "..."), [COMPLETED, CANCELED], Exit.THRESHOLD),
        (Failed("timeout", "..."), [], Exit.TIMEOUT),
        (Failed("refused", "..."), [], Exit.REFUSED),
    ],
)
def test_a_wait_has_the_status_of_its_end(verdict, operations, status):
    assert exit_after(verdict, operations) is status


def test_statuses_are_the_documented_ones():
    assert {one.name: int(one) for one in Exit} == {
        "OK": 0,
        "USAGE": 2,
        "CANCELED": 3,
        "THRESHOLD": 4,
        "TIMEOUT": 5,
        "REFUSED": 6,
        "UNREACHABLE": 7,
        "INTERRUPTED": 130,
        "OUTPUT": 8,
        "NOT_FOUND": 9,
        "BROKEN_PIPE": 141,
        "TERMINATED": 143,
    }


def test_airflow_takes_up_the_same_commands():
    cli_config = pytest.importorskip("airflow.cli.cli_config")
    from airflow_provider_comms.cli.airflow_commands import get_cli_commands
    from airflow_provider_comms.cli.parser import COMMANDS

    (group,) = get_cli_commands()
    assert isinstance(group, cli_config.GroupCommand)
    assert [(one.name, len(list(one.args))) for one in group.subcommands] == [
        (one.name, len(one.arguments)) for one in COMMANDS
    ]
    assert all(callable(one.func) and isinstance(one.func.__name__, str) for one in group.subcommands)

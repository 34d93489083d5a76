"""Trying a connection: one cheap request per resource, side by side, and a sentence about what was found."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.hooks.diagnosis import KINDS, diagnosis, doubt_before_asking, host_of, who_is

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.comms.settings import ClientSettings

CONNECT_SECONDS = 4.0
CALL_SECONDS = 8.0
"""A test is a page that a user waits for: below 10 s, whatever happens."""
_LIKE_MARKUP = re.compile(r"\[([A-Za-z#/@][^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Found:
    """
    What a test found.

    :param settings: of the connection.
    :param failures: why a resource cannot be read, by resource; None if it can.
    :param seconds: how long both requests took.
    """

    settings: ClientSettings
    failures: dict[Resource, CommsError | None]
    seconds: float

    @property
    def readable(self) -> list[Resource]:
        """The resources that can be read."""
        return [resource for resource, failure in self.failures.items() if failure is None]

    @property
    def is_good(self) -> bool:
        """Whether at least one resource can be read."""
        return bool(self.readable)

    @property
    def worst(self) -> CommsError:
        """
        Return a failure, one that will not pass before one that may.

        :raises ValueError: there is none.
        """
        return min((one for one in self.failures.values() if one), key=lambda one: one.transient)

    def rows(self) -> list[dict[str, Any]]:
        """Return what was found of each resource, as plain JSON."""
        return [
            {
                "resource": resource.value,
                "readable": failure is None,
                "base_url": self.settings.base_url,
                "message": diagnosis(failure, self.settings) if failure else "",
            }
            for resource, failure in self.failures.items()
        ]

    def sentence(self) -> str:
        """Return who reads what where, and what is wrong with the rest."""
        warnings = " ".join(self._troubles())
        if not self.readable:
            return warnings
        read = " and ".join(KINDS[resource] for resource in self.readable)
        who, where = who_is(self.settings), host_of(self.settings)
        good = f"{who} reads {read} operations at {where}, {max(self.seconds, 0.1):.1f} s."
        return f"{good} Warning: {warnings}" if warnings else good

    def _troubles(self) -> list[str]:
        """Say each trouble once, and of which resource it is where that makes a difference."""
        failed = {resource: failure for resource, failure in self.failures.items() if failure}
        kinds = {(type(failure), failure.context.status, failure.context.code) for failure in failed.values()}
        if len(kinds) == 1 and len(failed) == len(self.failures):
            return [diagnosis(next(iter(failed.values())), self.settings)]
        return [f"No {KINDS[one]} operations: {diagnosis(failure, self.settings)}" for one, failure in failed.items()]


def check_connection(read_settings: Callable[[], ClientSettings]) -> tuple[bool, str]:
    """
    Try to read one operation of each resource. Takes less than 10 s.

    :param read_settings: reads the connection; what it raises becomes the message.
    :return: whether at least one resource can be read, and what was found, on one line: the web UI shows no more.
    """
    from airflow.providers.common.compat.sdk import AirflowException

    try:
        settings = read_settings()
        if doubt := doubt_before_asking(settings):
            return False, doubt
        found = look(settings)
    except CommsError as error:
        return False, _one_line(f"{error.message} {error.advice}")
    except AirflowException as error:
        return False, _one_line(str(error))
    return found.is_good, _one_line(found.sentence())


def look(settings: ClientSettings) -> Found:
    """Ask once for each resource, both at the same time, without retries."""
    from airflow_provider_comms.comms.thread_loop import run, thread_loop

    started = monotonic()
    failures = run(_ask(_fail_fast(settings)), thread_loop())
    return Found(settings, failures, monotonic() - started)


def _fail_fast(settings: ClientSettings) -> ClientSettings:
    timeouts = settings.timeouts
    return replace(
        settings,
        retry=replace(settings.retry, attempts=1),
        timeouts=replace(
            timeouts,
            connect=min(timeouts.connect, CONNECT_SECONDS),
            attempt=min(timeouts.attempt, CALL_SECONDS),
            call=min(timeouts.call, CALL_SECONDS),
        ),
    )


async def _ask(settings: ClientSettings) -> dict[Resource, CommsError | None]:
    from airflow_provider_comms.comms.client import AsyncCommsClient

    async with AsyncCommsClient(settings) as client:

        async def failure(resource: Resource) -> CommsError | None:
            try:
                await anext(aiter(client.list_operations(resource, page_size=1, limit=1)), None)
            except CommsError as error:
                return error
            return None

        failures = await asyncio.gather(*map(failure, Resource))
    return dict(zip(Resource, failures, strict=True))


def _one_line(text: str) -> str:
    # `airflow connections test` prints it as markup, which swallows "[Errno -2]".
    return _LIKE_MARKUP.sub(r"(\1)", " ".join(text.split()))

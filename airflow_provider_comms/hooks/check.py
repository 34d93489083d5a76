"""Testing a connection: one cheap request per resource, at the same time, and a sentence about what was found."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.hooks.diagnosis import diagnosis, host_of, preflight_error, who_is
from airflow_provider_comms.reports.words import ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.comms.settings import ClientSettings

CONNECT_TIMEOUT = 4.0
CALL_TIMEOUT = 8.0
"""Seconds for all of it, as there is one call for each resource: a user waits for the page."""
_LIKE_MARKUP = re.compile(r"\[([A-Za-z#/@][^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """
    What a test found.

    :param settings: of the connection.
    :param errors: why a resource cannot be read, by resource; None if it can.
    :param seconds: how long the requests took.
    """

    settings: ClientSettings
    errors: dict[Resource, CommsError | None]
    seconds: float

    @property
    def readable(self) -> list[Resource]:
        """The resources that can be read."""
        return [resource for resource, error in self.errors.items() if error is None]

    @property
    def is_good(self) -> bool:
        """Whether at least one resource can be read."""
        return bool(self.readable)

    @property
    def error(self) -> CommsError:
        """
        An error; a permanent one rather than a transient one.

        :raises ValueError: there is none.
        """
        return min(filter(None, self.errors.values()), key=lambda error: error.transient)

    def rows(self) -> list[dict[str, object]]:
        """Return what was found for each resource, as plain JSON."""
        return [
            {
                "resource": resource.value,
                "readable": error is None,
                "source": self.settings.name,
                "base_url": self.settings.base_url,
                "message": diagnosis(error, self.settings) if error else "",
            }
            for resource, error in self.errors.items()
        ]

    def sentence(self) -> str:
        """Return which credentials can read what, and what is wrong with the rest."""
        warnings = " ".join(self._warnings())
        if not self.readable:
            return warnings
        read = " and ".join(ITEMS[resource] for resource in self.readable)
        who, host = who_is(self.settings), host_of(self.settings)
        good = f"{who} can read {read} operations at {host}, {max(self.seconds, 0.1):.1f} s."
        return f"{good} Warning: {warnings}" if warnings else good

    def _warnings(self) -> list[str]:
        """Say each error once, and which resource it concerns where that makes a difference."""
        failed = {resource: error for resource, error in self.errors.items() if error}
        kinds = {(type(error), error.context.status, error.context.code) for error in failed.values()}
        if len(kinds) == 1 and not self.readable:
            return [diagnosis(self.error, self.settings)]
        return [f"No {ITEMS[one]} operations: {diagnosis(error, self.settings)}" for one, error in failed.items()]


def check_connection(read_settings: Callable[[], ClientSettings]) -> tuple[bool, str]:
    """
    Try to read one page of each resource. The requests take less than 10 s; nothing is raised.

    :param read_settings: reads the connection; what it raises becomes the message.
    :return: whether at least one resource can be read, and what was found, on one line: the web UI shows no more.
    """
    from airflow.providers.common.compat.sdk import AirflowException

    try:
        settings = read_settings()
        if error := preflight_error(settings):
            return False, error
        result = probe(settings)
        return result.is_good, _one_line(result.sentence())
    except CommsError as error:
        return False, _one_line(f"{error.message} {error.advice}")
    except AirflowException as error:
        return False, _one_line(str(error))
    except Exception as error:  # noqa: BLE001  (Airflow would show its message, which may hold a secret)
        return False, (
            f"The test could not be run: unexpected {type(error).__name__}. "
            "Check the fields of the connection; if they are right, report a bug."
        )


def probe(settings: ClientSettings) -> CheckResult:
    """Ask once for each resource, at the same time, without retries."""
    from airflow_provider_comms.comms.thread_loop import run, thread_loop

    started = monotonic()
    errors = run(_errors(_fail_fast(settings)), thread_loop())
    return CheckResult(settings, errors, monotonic() - started)


def _fail_fast(settings: ClientSettings) -> ClientSettings:
    return replace(
        settings,
        retry=replace(settings.retry, attempts=1),
        timeouts=settings.timeouts.at_most(connect=CONNECT_TIMEOUT, attempt=CALL_TIMEOUT, call=CALL_TIMEOUT),
    )


async def _errors(settings: ClientSettings) -> dict[Resource, CommsError | None]:
    from airflow_provider_comms.comms.client import AsyncCommsClient

    async with AsyncCommsClient(settings) as client:
        errors = await asyncio.gather(*(_error(client, resource) for resource in Resource))
    return dict(zip(Resource, errors, strict=True))


async def _error(client: AsyncCommsClient, resource: Resource) -> CommsError | None:
    from airflow_provider_comms.comms.listing.query import query_of

    try:
        # A page and not an operation: pages may be empty without end.
        async with aclosing(client.pages(query_of(resource, page_size=1))) as pages:
            await anext(pages, None)
    except CommsError as error:
        return error
    return None


def _one_line(text: str) -> str:
    # `airflow connections test` prints it as markup, which swallows "[Errno -2]".
    return _LIKE_MARKUP.sub(r"(\1)", " ".join(text.split()))

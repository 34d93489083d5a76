"""
The state of many operations at the least cost, again and again.

A page of a list tells the state of 1,000 operations for one request. So the pending operations are listed, and those
of ours that are not among them (they have ended, or the list lags behind) are looked up: many by a list of the ended
ones, few one by one. Where a list would cost more requests than asking for each, or fails, each is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.comms.models import Operation
from airflow_provider_comms.comms.resource import OperationStatus, Resource
from airflow_provider_comms.polling.errors import not_polled
from airflow_provider_comms.polling.fetches import Fetcher
from airflow_provider_comms.polling.limits import DEFAULT_LIMITS
from airflow_provider_comms.polling.lists import (
    EVERYTHING,
    TooManyPagesError,
    WantedPages,
    is_page_worth_it,
    window_of,
)
from airflow_provider_comms.polling.spot_checks import SpotChecks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_provider_comms.comms.client import AsyncCommsClient
    from airflow_provider_comms.polling.clients import SharedClient
    from airflow_provider_comms.polling.fetches import Found, Report, Round
    from airflow_provider_comms.polling.limits import PollLimits
    from airflow_provider_comms.polling.lists import Window

log = logging.getLogger(__name__)

PENDING = (OperationStatus.PROCESSING, OperationStatus.SCHEDULED)
ENDED = (OperationStatus.COMPLETED, OperationStatus.CANCELED)
MIN_IDS_TO_LIST = 3
"""So many are always asked for one by one: a list costs a request for each pending status at the least."""


class StatusScan:
    """
    Sees operations of one resource.

    :param clients: the connection's client.
    :param resource: "emails" or "messages".
    :param report: told of operations, and of errors in their place, as they become known. What has not changed since
        it was last reported is the same object as then.
    """

    def __init__(
        self, clients: SharedClient, resource: Resource, report: Report, limits: PollLimits = DEFAULT_LIMITS
    ) -> None:
        self._clients = clients
        self._resource = resource
        self._report = report
        self._limits = limits
        self._fetcher = Fetcher(clients, resource, self._report_fetched, limits)
        self._checks = SpotChecks(limits)
        self._last: dict[str, Operation] = {}
        self._loop = asyncio.get_running_loop()
        self._trouble: CommsError | None = None
        self._refused: set[str] = set()
        """Who was refused for good in the present trouble."""
        self._list_costs = 0.0
        self._list_failures = 0
        self._polls_without_list = 0

    async def fetch(self, ids: Iterable[str], *, keep: Collection[str] = (), urgent: Collection[str] = ()) -> None:
        """
        Report the state of each operation, or the error in its place, in the fewest requests that tell of them.

        Returns when there is nothing more to send; a fetch that is not answered by then is reported later. Who could
        not be asked for this time has a `NotPolledError` reported; or nothing, where the API answers, but not for
        so many: then they are among the first of the next time.

        :param ids: ids of operations.
        :param keep: ids that later calls will ask for, beside these.
        :param urgent: ids for which this is the last time.
        """
        wanted = dict.fromkeys(ids)
        self._forget_all_but(wanted, keep)
        self._trouble = await self._fetch_all(wanted, urgent)

    async def aclose(self) -> None:
        """Leave off; what is under way is not reported any more."""
        await self._fetcher.aclose()

    async def _fetch_all(self, wanted: dict[str, None], urgent: Collection[str]) -> CommsError | None:
        """Return the trouble that met all who were asked, if any."""
        is_up = False
        if self._trouble:
            await self._clients.reread(not_before=self._loop.time() - self._limits.reread_in_trouble)
            # Some go ahead to see whether the trouble has passed; and those that cannot wait for the next time.
            number = max(self._limits.probes, min(len(urgent), self._limits.fetches_once))
            round_ = await self._fetcher.fetch(wanted, is_up=False, probes=number, at_most=number, urgent=urgent)
            if round_.trouble:
                return await self._note_trouble(wanted, round_, round_.trouble)
            self._refused.clear()
            wanted = {one: None for one in wanted if one not in round_.asked}
            is_up = round_.is_up
        if not self._is_list_worth_it(len(wanted)):
            return await self._fetch_each(wanted, urgent, is_up=is_up)
        missing = dict(wanted)
        try:
            pending = await self._clients.ask(lambda client: self._list_pending(client, missing))
        except TooManyPagesError:
            return await self._fetch_each(missing, urgent, is_up=is_up)
        except CommsError:
            return await self._do_without_list(missing, urgent, is_up=is_up)
        except Exception:
            log.exception("A list failed unexpectedly.")
            return await self._do_without_list(missing, urgent, is_up=is_up)
        await _let_others_run()
        if is_page_worth_it(len(missing)):
            with suppress(CommsError, TooManyPagesError):  # A mere help: who is not found is fetched.
                await self._clients.ask(lambda client: self._list_ended(client, missing))
        await self._fetch_missing(missing, pending, urgent)
        return None

    def _is_list_worth_it(self, number: int) -> bool:
        if number <= MIN_IDS_TO_LIST:
            return False
        if number <= self._list_costs and self._polls_without_list:
            self._polls_without_list -= 1
            return False
        return True

    async def _list_pending(self, client: AsyncCommsClient, missing: dict[str, None]) -> dict[str, Operation]:
        """
        List the pending ones, and report them.

        :param missing: ids that were not found so far; those found are taken out.
        :return: those found that are pending indeed.
        """
        pending: dict[str, Operation] = {}
        await _let_others_run()
        pages = await self._pages(client, missing)
        try:
            for status in PENDING:
                async with aclosing(pages.of(status)) as listed:
                    async for found in listed:
                        await self._report_listed(found, missing)
                        pending |= {one: operation for one, operation in found.items() if not operation.is_terminal}
        except TooManyPagesError:
            # It is known to cost at least this; the doubling lets a growing crowd try again.
            is_too_dear = pages.read >= pages.at_most
            self._note_list_costs(2 * pages.read if is_too_dear else math.inf)
            raise
        self._note_list_costs(pages.read)
        self._list_failures = 0
        return pending

    def _note_list_costs(self, requests: float) -> None:
        self._list_costs, self._polls_without_list = requests, self._limits.relist_after - 1

    async def _list_ended(self, client: AsyncCommsClient, missing: dict[str, None]) -> None:
        """List the ended ones as long as each page shows many of ours."""
        pages = await self._pages(client, missing)
        for status in ENDED:
            async with aclosing(pages.of(status)) as listed:
                async for found in listed:
                    await self._report_listed(found, missing)
                    if not is_page_worth_it(len(missing), len(found)):
                        break

    async def _pages(self, client: AsyncCommsClient, missing: Collection[str]) -> WantedPages:
        window = self._window(missing)
        await _let_others_run()
        return WantedPages(client, self._resource, window, frozenset(missing), self._intern_listed, self._limits)

    def _window(self, ids: Collection[str]) -> Window:
        """
        Return the window in which they were created, if it is known of all.

        Nothing is known of those that never gave an answer to a fetch; they are fetched again, and count for nothing.

        :param ids: in the order in which they were first seen, if possible: a set's order is ten times as slow.
        """
        known = [last.created_at for one in ids if (last := self._last.get(one))]
        if len(known) < len(ids) and any(not (one in self._last or self._fetcher.was_asked(one)) for one in ids):
            return EVERYTHING
        return window_of(known)

    async def _report_listed(self, found: dict[str, Operation], missing: dict[str, None]) -> None:
        for one in found:
            missing.pop(one, None)
        await self._report(found)

    async def _fetch_missing(
        self, missing: Collection[str], pending: dict[str, Operation], urgent: Collection[str]
    ) -> None:
        checked = self._checks.choose(pending)
        await _let_others_run()
        ids = [*missing, *checked]
        await self._fetcher.fetch(ids, is_up=True, probes=0, at_most=self._limits.fetches, urgent=urgent)

    async def _do_without_list(
        self, missing: dict[str, None], urgent: Collection[str], *, is_up: bool
    ) -> CommsError | None:
        """The list failed: so does everything, or the list alone."""
        is_first = not self._list_failures
        at_most = self._limits.fetches_once if is_first else self._limits.fetches
        trouble = await self._fetch_each(missing, urgent, at_most, is_up=is_up)
        if trouble is None:
            self._list_failures += 1
            self._list_costs = math.inf
            self._polls_without_list = min(2 ** (self._list_failures - 1) - 1, self._limits.relist_after)
        return trouble

    async def _fetch_each(
        self,
        ids: dict[str, None],
        urgent: Collection[str],
        at_most: int | None = None,
        *,
        is_up: bool,
    ) -> CommsError | None:
        at_most = at_most or self._limits.fetches
        round_ = await self._fetcher.fetch(ids, is_up=is_up, probes=self._limits.probes, at_most=at_most, urgent=urgent)
        return await self._note_trouble(ids, round_, round_.trouble) if round_.trouble else None

    async def _note_trouble(self, wanted: Collection[str], round_: Round, error: CommsError) -> CommsError | None:
        """
        All who were asked had trouble: tell the others why they were not asked.

        A refusal that does not pass by itself ends a wait, so each is asked itself, once; no wait fails for what met
        another one.

        :return: the trouble; None if it turns out not to meet all.
        """
        asked = round_.asked
        if round_.is_refused:
            self._refused |= round_.errors.keys()
            if spared := [one for one in wanted if self._may_be_final(error, one)]:
                most = self._limits.fetches
                round_ = await self._fetcher.fetch(spared, is_up=False, probes=most, at_most=most)
                if round_.is_up:
                    return None
                asked |= round_.asked
                self._refused |= round_.errors.keys()
        others = [one for one in wanted if one not in asked]
        await self._report(dict.fromkeys(others, not_polled(error)))
        return error

    def _may_be_final(self, error: CommsError, operation_id: str) -> bool:
        """Whether a wait may end of this refusal: a wrong endpoint is none for an operation that was once answered."""
        return operation_id not in self._refused and not (error.wrong_endpoint and operation_id in self._last)

    async def _report_fetched(self, found: Mapping[str, Found]) -> None:
        interned = {one: self._intern(what) if isinstance(what, Operation) else what for one, what in found.items()}
        for one, what in interned.items():
            self._checks.note(one, what)
        await self._report(interned)

    def _intern(self, operation: Operation) -> Operation:
        """Return the object that stands for an operation: the known one, unless something has changed."""
        last = self._last.get(operation.id)
        if last is not None and last.status == operation.status and last.stats == operation.stats:
            return last
        self._last[operation.id] = operation
        return operation

    def _intern_listed(self, operation: Operation) -> Operation:
        """Do so with an operation of a list, which may lag behind what is known: an end is no more undone."""
        last = self._last.get(operation.id)
        if last is not None and (last.is_terminal > operation.is_terminal or last.updated_at > operation.updated_at):
            return last
        return self._intern(operation)

    def _forget_all_but(self, wanted: Collection[str], keep: Collection[str]) -> None:
        bound = 2 * max(len(wanted), len(keep))
        if max(len(self._last), len(self._fetcher)) > bound:
            kept = {*wanted, *keep}
            self._last = {one: last for one, last in self._last.items() if one in kept}
            self._fetcher.forget_all_but(kept)
            self._checks.forget_all_but(kept)


async def _let_others_run() -> None:
    """Each step between two of these takes a microsecond for an operation: of 50,000, as long as a loop may be held."""
    await asyncio.sleep(0)

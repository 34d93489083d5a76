"""
Polls the state of many operations in as few requests as possible.

One page of a list shows 1,000 operations for one request. So the pending operations are listed, and wanted operations
missing from that list (they have ended, or the list lags) are looked up: many through lists of ended operations, a few
one by one. Where a list fails, or would cost more requests than fetching each operation, each is fetched.
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
"""Up to this many are always fetched one by one: a list costs at least one request per pending status."""


class StatusScan:
    """
    Scans the operations of one resource.

    :param clients: the connection's client.
    :param resource: "emails" or "messages".
    :param report: called with operations, or errors in their place, as they become known. An operation that has not
        changed since it was last reported is the same object as before.
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
        self._outage: CommsError | None = None
        self._refused: set[str] = set()
        """Ids that got a permanent refusal during the current outage."""
        self._list_costs = 0.0
        self._list_failures = 0
        self._polls_without_list = 0

    async def fetch(self, ids: Iterable[str], *, keep: Collection[str] = (), urgent: Collection[str] = ()) -> None:
        """
        Report the state of each operation, or the error in its place, in as few requests as possible.

        Returns when there is nothing more to send; a fetch still unanswered by then is reported later. An operation
        that could not be polled this time gets a `NotPolledError`; or nothing, if the API answers but there are too
        many to fetch: those come first the next time.

        :param ids: ids of operations.
        :param keep: ids that later calls will ask for, besides these.
        :param urgent: ids polled for the last time before their waits' deadlines.
        """
        wanted = dict.fromkeys(ids)
        self._forget_all_but(wanted, keep)
        self._outage = await self._fetch_all(wanted, urgent)

    async def aclose(self) -> None:
        """Cancel all requests in flight; nothing is reported any more."""
        await self._fetcher.aclose()

    async def _fetch_all(self, wanted: dict[str, None], urgent: Collection[str]) -> CommsError | None:
        """Return the error that every request met, if the API seems to be down."""
        is_up = False
        if self._outage:
            await self._clients.reread(not_before=self._loop.time() - self._limits.reread_in_outage)
            # A few probes see whether the outage is over, and those that cannot wait for the next poll.
            number = max(self._limits.probes, min(len(urgent), self._limits.fetches_once))
            round_ = await self._fetcher.fetch(wanted, is_up=False, probes=number, at_most=number, urgent=urgent)
            if round_.outage:
                return await self._report_outage(wanted, round_, round_.outage)
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
            with suppress(CommsError, TooManyPagesError):  # Only a shortcut: what is not found is fetched.
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
        :return: those found that really are pending.
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
            # It costs at least this; doubling it lets a growing number of waits try again.
            is_too_dear = pages.read >= pages.at_most
            self._note_list_costs(2 * pages.read if is_too_dear else math.inf)
            raise
        self._note_list_costs(pages.read)
        self._list_failures = 0
        return pending

    def _note_list_costs(self, requests: float) -> None:
        self._list_costs, self._polls_without_list = requests, self._limits.relist_after - 1

    async def _list_ended(self, client: AsyncCommsClient, missing: dict[str, None]) -> None:
        """List ended operations as long as each page shows many wanted ones."""
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
        Return the window in which they were created, if that is known for all of them.

        Operations that were fetched but never answered are ignored: nothing is known of them, and they will be fetched.

        :param ids: in the order in which they were first seen, if possible: a set's order is ten times slower.
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
        """The list failed: find out whether everything does."""
        is_first = not self._list_failures
        at_most = self._limits.fetches_once if is_first else self._limits.fetches
        outage = await self._fetch_each(missing, urgent, at_most, is_up=is_up)
        if outage is None:
            self._list_failures += 1
            self._list_costs = math.inf
            self._polls_without_list = min(2 ** (self._list_failures - 1) - 1, self._limits.relist_after)
        return outage

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
        return await self._report_outage(ids, round_, round_.outage) if round_.outage else None

    async def _report_outage(self, wanted: Collection[str], round_: Round, error: CommsError) -> CommsError | None:
        """
        Every request failed: report to the other operations why they were not polled.

        A permanent refusal ends a wait, so each operation is asked for itself, once: no wait fails because of another
        operation's error.

        :return: the error; None if it turns out not to affect all operations.
        """
        asked = round_.asked
        if round_.is_refused:
            self._refused |= round_.errors.keys()
            if unasked := [one for one in wanted if self._may_be_final(error, one)]:
                most = self._limits.fetches
                round_ = await self._fetcher.fetch(unasked, is_up=False, probes=most, at_most=most)
                if round_.is_up:
                    return None
                asked |= round_.asked
                self._refused |= round_.errors.keys()
        others = [one for one in wanted if one not in asked]
        await self._report(dict.fromkeys(others, not_polled(error)))
        return error

    def _may_be_final(self, error: CommsError, operation_id: str) -> bool:
        """Whether a refusal may end a wait; once an operation was answered, the endpoint cannot be wrong."""
        return operation_id not in self._refused and not (error.wrong_endpoint and operation_id in self._last)

    async def _report_fetched(self, found: Mapping[str, Found]) -> None:
        interned = {one: self._intern(what) if isinstance(what, Operation) else what for one, what in found.items()}
        for one, what in interned.items():
            self._checks.note(one, what)
        await self._report(interned)

    def _intern(self, operation: Operation) -> Operation:
        """Return the object that represents an operation: the known one, unless something has changed."""
        last = self._last.get(operation.id)
        if last is not None and last.status == operation.status and last.stats == operation.stats:
            return last
        self._last[operation.id] = operation
        return operation

    def _intern_listed(self, operation: Operation) -> Operation:
        """Do the same with a listed one. A list may lag: no end is undone; and an end is one, however it is dated."""
        last = self._last.get(operation.id)
        if last is not None and (last.is_terminal, last.updated_at) > (operation.is_terminal, operation.updated_at):
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
    """A step between two of these takes a microsecond per operation: 50 ms, the most a loop may be held, for 50,000."""
    await asyncio.sleep(0)

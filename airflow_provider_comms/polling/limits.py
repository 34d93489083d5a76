"""The limits of a poll: times, numbers of requests, and when something that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_comms.comms.settings import RetryPolicy, Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLimits:
    """
    The bounds of a poll; the defaults are for production, tests use shorter times.

    :param request_timeout: seconds that one request of a poll may take. A poll does not retry; the next poll does.
    :param throttled_for: seconds that a request may be held back by the throttle or other requests.
    :param sending: seconds for which a poll keeps sending fetches; the rest come first in the next poll.
    :param slow_after: seconds without an answer after which a fetch gives up its place to others.
    :param list_base: seconds that a list may take, whatever its length.
    :param list_page: seconds that a list may take for each page beyond that.
    :param reread_on_join: seconds between two readings of a connection when waits join or are rejected.
    :param reread_in_outage: seconds between two readings of a connection while the API cannot be reached.
    :param read_timeout: seconds that one reading may take.
    :param restart_after: seconds until a poller that failed is restarted.
    :param fetches: most fetches of a poll, where lists do not help.
    :param fetches_once: most fetches of a poll whose list has failed for the first time.
    :param probes: fetches sent ahead; if all fail in a way that would affect the others too, these are not sent.
    :param failing_fetches: most fetches of failing operations, besides those of the others.
    :param empty_pages: pages in a row without a wanted operation after which a list is given up.
    :param relist_after: polls after which a list that failed or was too long is tried again.
    :param check_within: polls within which each operation that a list shows unchanged is fetched by id.
    :param check_rest: most rounds of checks that an operation may skip after it was confirmed each time.
    """

    request_timeout: float = 10.0
    throttled_for: float = 20.0
    sending: float = 60.0
    slow_after: float = 1.0
    list_base: float = 30.0
    list_page: float = 1.0
    reread_on_join: float = 5.0
    reread_in_outage: float = 30.0
    read_timeout: float = 30.0
    restart_after: float = 5.0
    fetches: int = 1000
    fetches_once: int = 100
    probes: int = 10
    failing_fetches: int = 100
    empty_pages: int = 20
    relist_after: int = 20
    check_within: int = 20
    check_rest: int = 7

    def timeouts(self, of_connection: Timeouts) -> Timeouts:
        """Return those of a poll's requests: the connection's, where they are shorter."""
        return of_connection.at_most(attempt=self.request_timeout, call=self.request_timeout + self.throttled_for)

    def retry(self, of_connection: RetryPolicy) -> RetryPolicy:
        """Return the retry policy of a poll's requests: each is sent once."""
        return replace(
            of_connection, attempts=1, retry_after_cap=min(of_connection.retry_after_cap, self.request_timeout)
        )


DEFAULT_LIMITS = PollLimits()

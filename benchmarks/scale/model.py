"""
A model of the poll that very many waits share: what it costs in requests, CPU and memory. Pure: it only counts.

It counts the steady state. As many operations begin as end; each triggerer waits for the same number of them, picked by
chance. An operation lasts any time from none to twice the mean, each with the same likelihood: so those that are waited
for were created over twice the mean, and as many that were created in that time have ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import ceil, exp, lgamma, log, sqrt

from benchmarks.scale import costs

PAGE = 1000
"""Operations on a page of a list."""
MIN_IDS_TO_LIST = 3
"""`MIN_IDS_TO_LIST` of `StatusScan`: so many are always fetched."""
MIN_HITS_PER_PAGE = 20
"""`MIN_HITS_PER_PAGE` of `polling.lists`: where fewer have ended, or a page tells of fewer, they are fetched."""
UNLIKELY = 1e-3
SETTLED = 30
"""Rounds after which the next one takes as long as the last one."""
RETENTION = 7 * 86_400.0
"""Seconds that the API keeps an operation."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """
    What is waited for, and how.

    :param waits: operations that are waited for at a time.
    :param triggerers: how many share them.
    :param ids_per_task: operations that a task waits for; they begin and end together.
    :param poke_interval: seconds.
    :param lasts: seconds that an operation lasts, in the mean.
    :param others: pending operations of the account that nobody here waits for.
    :param others_over: seconds over which these were created.
    :param joining: whether waits begin all the time; else those that are there go on.
    :param in_triggerer: whether they begin and end without a worker (`run_in_triggerer`).
    """

    waits: int
    triggerers: int = 1
    ids_per_task: int = 1
    poke_interval: float = 60.0
    lasts: float = 3600.0
    others: int = 0
    others_over: float = RETENTION
    joining: bool = True
    in_triggerer: bool = False

    @property
    def tasks(self) -> float:
        return self.waits / self.ids_per_task

    @property
    def tasks_per_triggerer(self) -> float:
        return self.tasks / self.triggerers

    @property
    def created_over(self) -> float:
        """Seconds over which the operations were created."""
        return 2 * self.lasts

    @property
    def ended(self) -> float:
        """Operations that were created over that time and have ended: half of all."""
        return self.waits

    @property
    def listed(self) -> float:
        """Pending operations that a list shows: within the window of those waited for, if that is known of each."""
        window = 1.0 if self.joining else min(1.0, self.created_over / self.others_over)
        return self.waits + self.others * window


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """
    One poll cycle of one triggerer.

    :param sees: operations that it is for.
    :param pending: pages of pending operations that are listed, one after the other.
    :param ended: pages of ended ones.
    :param fetches: operations that are fetched.
    """

    sees: float
    pending: int = 0
    ended: float = 0.0
    fetches: float = 0.0

    @property
    def requests(self) -> float:
        return self.pending + self.ended + self.fetches

    @property
    def seconds(self) -> float:
        return (self.pending + self.ended + self.fetches / costs.IN_FLIGHT) * costs.ANSWER

    @property
    def cpu(self) -> float:
        pages = (self.pending + self.ended) * costs.PAGE_CPU
        return pages + self.fetches * costs.FETCH_CPU + self.sees * costs.WAIT_CPU

    @property
    def blocks_loop(self) -> float:
        """Seconds for which it blocks the triggerer's event loop without a pause."""
        return max(costs.PAGE_CPU, self.sees * costs.WAIT_HOLDS)


@cache
def cycle(load: Load, sees: float, since: float) -> Cycle:
    """
    Return what a poll cycle costs, as `StatusScan.see` does it.

    :param sees: operations that it is for.
    :param since: seconds since the last cycle.
    """
    # The SCHEDULED are listed too: an empty page.
    pending = ceil(load.listed / PAGE) + 1
    if sees <= MIN_IDS_TO_LIST or sees <= pending:
        return Cycle(sees=sees, fetches=sees)
    missing = sees * since / load.lasts
    pages, found = _ended(load, missing)
    spot_check = 1
    return Cycle(sees=sees, pending=pending, ended=pages, fetches=missing - found + spot_check)


def _ended(load: Load, missing: float) -> tuple[float, float]:
    """
    Return how many pages of ended operations are read, and how many of the missing are found on them.

    The newest come first, as in the simulator: of them, the most of those that have ended have ended just now. A page
    tells of more or fewer by chance, and the first that tells of too few is the last one.
    """
    if missing <= MIN_HITS_PER_PAGE:
        return 0, 0.0
    pages, found, is_read, canceled = 0.0, 0.0, 1.0, 1
    for number in range(1, ceil(load.ended / PAGE) + 1):
        tells_of = missing * (_share_within(load, number) - _share_within(load, number - 1))
        pages += is_read
        found += is_read * tells_of
        is_read *= 1 - _chance_of_fewer(MIN_HITS_PER_PAGE, tells_of)
        if missing - found <= MIN_HITS_PER_PAGE or is_read < UNLIKELY:
            break
    return pages + canceled, found


def _share_within(load: Load, pages: int) -> float:
    """Return which share of those that have just ended stands on the first pages of all that have ended."""
    return sqrt(min(1.0, pages * PAGE / load.ended))


def _chance_of_fewer(number: int, mean: float) -> float:
    """Return how likely fewer come than so many, if chance (Poisson's) brings them."""
    if mean > 4 * number:
        return 0.0
    return sum(exp(count * log(mean) - mean - lgamma(count + 1)) for count in range(number))


@dataclass(frozen=True)
class Poll:
    """
    The poll of each triggerer, cycle after cycle.

    :param load: what is waited for.
    """

    load: Load

    @property
    def own(self) -> float:
        """Operations that a triggerer waits for."""
        return self.load.waits / self.load.triggerers

    @cached_property
    def cycle(self) -> Cycle:
        """A cycle for all of them: new waits join the next one."""
        return cycle(self.load, self.own, self.round)

    @cached_property
    def round(self) -> float:
        """Seconds from one cycle to the next: a cycle that takes long delays the next one."""
        seconds, interval = 0.0, self.load.poke_interval
        for _ in range(SETTLED):
            # The later a cycle, the more have ended by then, and the longer it takes.
            seconds = cycle(self.load, self.own, interval + seconds).seconds
        return interval + seconds

    @property
    def requests_per_second(self) -> float:
        """Requests of all triggerers."""
        return self.load.triggerers * self.cycle.requests / self.round

    @property
    def core(self) -> float:
        """Share of a core that the runner of a triggerer needs: for the poll, and for Airflow's passes."""
        a_pass = self.load.tasks_per_triggerer * costs.PASS_CPU
        return self.cycle.cpu / self.round + a_pass / (costs.PASS_PAUSE + a_pass)

    @property
    def memory(self) -> float:
        """Bytes of a triggerer."""
        tasks = self.load.tasks_per_triggerer
        return costs.EMPTY_TRIGGERER + tasks * costs.TASK_MEMORY + (self.own - tasks) * costs.ID_MEMORY

    @property
    def peer_requests_per_second(self) -> float:
        """Requests where each wait polls for itself."""
        return self.load.waits / self.load.poke_interval

    @property
    def peer_core(self) -> float:
        """Share of a core that a triggerer needs where each wait polls for itself."""
        a_pass = self.load.tasks_per_triggerer * costs.PASS_CPU
        polls = self.own / self.load.poke_interval * costs.PEER_POLL_CPU
        return polls + a_pass / (costs.PASS_PAUSE + a_pass)

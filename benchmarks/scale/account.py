"""An account in the steady state that the model counts: a simulator whose operations begin and end all the time."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_comms.simulator import Simulator
    from benchmarks.scale.model import Load

RESOURCE = "emails"


class Account:
    """
    The operations of an account, from which it comes what each of some triggerers waits for.

    :param load: how many are waited for, and how long they last.
    :param driven: the triggerers whose ids are to be known; the operations of the others are there.
    :param kinds: so many different times they last; the fewer, the sooner they are made, and the more end in step.
    :param simulator: whose clock stands still.
    """

    def __init__(self, load: Load, driven: int, kinds: int, simulator: Simulator) -> None:
        self.load = load
        self._driven = driven
        self._simulator = simulator
        self._random = Random(load.waits)
        self._kinds = [load.created_over * (number + 0.5) / kinds for number in range(kinds)]

    def fill(self) -> list[list[str]]:
        """Make all operations, pending and ended; return the ids that each driven triggerer waits for."""
        load, own = self.load, self.load.waits // self.load.triggerers
        shares = [[self._add_pending() for _ in range(own)] for _ in range(self._driven)]
        for lasts in self._kinds:
            pending = lasts / sum(self._kinds)
            ended = 2 / len(self._kinds) - pending
            self._seed(lasts, (load.waits - own * self._driven) * pending, over=lasts)
            self._seed(lasts, load.waits * ended, over=load.created_over - lasts, before=lasts)
        self._seed(10 * load.others_over, load.others, over=load.others_over)
        return shares

    def advance(self, seconds: float) -> list[list[str]]:
        """Let time pass; return the ids that each driven triggerer begins to wait for."""
        self._simulator.advance(seconds)
        if not self.load.joining:
            return [[] for _ in range(self._driven)]
        begun = self.load.waits * seconds / self.load.lasts
        share = round(begun / self.load.triggerers)
        for lasts in self._kinds:
            self._seed(lasts, (begun - share * self._driven) / len(self._kinds), over=seconds)
        return [[self._add_begun(seconds) for _ in range(share)] for _ in range(self._driven)]

    def _add_pending(self) -> str:
        # Of those that are pending at a time, the more are of a kind the longer it lasts.
        [lasts] = self._random.choices(self._kinds, weights=self._kinds)
        return self._add(lasts, within=lasts)

    def _add_begun(self, seconds: float) -> str:
        return self._add(self._random.choice(self._kinds), within=seconds)

    def _add(self, lasts: float, within: float) -> str:
        age = self._random.uniform(0, within)
        return self._simulator.add_operation(RESOURCE, age=age, processing_for=lasts)

    def _seed(self, lasts: float, count: float, *, over: float, before: float = 0.0) -> None:
        until = self._simulator.now - timedelta(seconds=before)
        self._simulator.seed(RESOURCE, round(count), processing_for=lasts, spread=over, until=until)

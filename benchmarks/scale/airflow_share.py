"""What Airflow itself does for tasks that wait, whatever they wait for: in its database, triggerers and workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scale import costs

if TYPE_CHECKING:
    from benchmarks.scale.model import Load

MOST_EVENTS_AT_ONCE = costs.UNHEALTHY_AFTER / costs.EVENT_SECONDS
"""Events that a triggerer can hand over in one go and still be taken for healthy: it sends no heartbeat meanwhile."""


@dataclass(frozen=True)
class AirflowShare:
    """
    Airflow's own work.

    :param load: what is waited for.
    """

    load: Load

    @property
    def own(self) -> float:
        """Tasks that wait on a triggerer; so many files its supervisor has open for their logs."""
        return self.load.tasks_per_triggerer

    @property
    def rows(self) -> float:
        """Rows of tasks that wait: one in `trigger`, one in `task_instance`."""
        return 2 * self.load.tasks

    @property
    def query_seconds(self) -> float:
        """Seconds of the database in each loop of a triggerer's supervisor: it goes through all triggers."""
        return self.load.tasks * costs.ROW_SECONDS

    @property
    def loop(self) -> float:
        """Seconds that a supervisor's loop takes while little happens."""
        its_own = costs.LOOP_CPU + self.own * costs.LOOP_CPU_PER_TASK
        return costs.LOOP_PAUSE + self.query_seconds + its_own

    @property
    def database_cores(self) -> float:
        """Cores of the database that are busy with the supervisors' loops."""
        return self.load.triggerers * self.query_seconds / self.loop

    @property
    def ends_per_second(self) -> float:
        """Tasks whose wait ends, and events that are handed over."""
        return self.load.tasks / self.load.lasts

    @property
    def supervisor_time(self) -> float:
        """Share of its time that a supervisor hands over events: above 1 it does not keep up."""
        return self.ends_per_second / self.load.triggerers * costs.EVENT_SECONDS

    @property
    def starts_per_second(self) -> float:
        """Starts of workers."""
        return 0.0 if self.load.in_triggerer else costs.STARTS * self.ends_per_second

    @property
    def worker_cores(self) -> float:
        """Cores that only start workers."""
        return self.starts_per_second * costs.START_CPU

    @property
    def statements_per_second(self) -> float:
        """Statements that the database is sent."""
        return (
            self.load.triggerers * (costs.LOOP_STATEMENTS / self.loop + costs.HEARTBEAT_STATEMENTS / costs.HEARTBEAT)
            + self.ends_per_second * costs.EVENT_STATEMENTS
            + self.starts_per_second * costs.START_STATEMENTS
            + 1 / costs.TIMEOUTS_CHECK
        )

    @property
    def transactions_per_second(self) -> float:
        """Transactions of the database."""
        return (
            self.load.triggerers * (costs.LOOP_TRANSACTIONS / self.loop + 1 / costs.HEARTBEAT)
            + self.ends_per_second * costs.EVENT_TRANSACTIONS
            + self.starts_per_second * costs.START_TRANSACTIONS
            + 1 / costs.TIMEOUTS_CHECK
        )

    @property
    def taken_over_after(self) -> float:
        """Seconds until a triggerer that starts has taken its waits over."""
        return self.own / costs.TAKEN_IN_A_LOOP * (costs.BUSY_LOOP + self.query_seconds)

"""
What happened to every task instance, written down by the database itself.

Airflow keeps the present state of a task. Whether one ended twice, and when the last of many ended, only a history
tells: a trigger of PostgreSQL notes each change of state in a table of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from sqlalchemy import Engine

TABLE = """
CREATE TABLE trial_ledger (
    run_id text, task_id text, map_index int, state text, at timestamptz DEFAULT clock_timestamp()
);
CREATE INDEX trial_ledger_run ON trial_ledger (run_id);
CREATE FUNCTION note_state() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO trial_ledger (run_id, task_id, map_index, state)
    VALUES (NEW.run_id, NEW.task_id, NEW.map_index, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER note_state AFTER UPDATE OF state ON task_instance FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION note_state();
"""
STATES = "SELECT state, count(*) FROM task_instance WHERE run_id = :run AND task_id LIKE :tasks GROUP BY state"
TWICE = """
SELECT count(*) FROM (
    SELECT 1 FROM trial_ledger WHERE run_id = :run AND task_id LIKE :tasks AND state = 'success'
    GROUP BY task_id, map_index HAVING count(*) > 1
) AS twice
"""
LAST = (
    "SELECT extract(epoch FROM max(at)) FROM trial_ledger "
    "WHERE run_id = :run AND task_id LIKE :tasks AND state = 'success'"
)
TRIES = "SELECT coalesce(max(try_number), 0) FROM task_instance WHERE run_id = :run AND task_id LIKE :tasks"
ALIVE = """
SELECT count(*) FROM trigger JOIN task_instance ON task_instance.trigger_id = trigger.id
JOIN job ON job.id = trigger.triggerer_id
WHERE run_id = :run AND job.end_date IS NULL AND job.state = 'running'
    AND job.latest_heartbeat > now() - make_interval(secs => :within) AND job.start_date > to_timestamp(:since)
"""


@dataclass(frozen=True)
class Outcome:
    """
    What became of the waits of a run.

    :param waits: how many there are
    :param succeeded: how many tasks have succeeded
    :param twice: how many have succeeded more than once
    :param last: when the last one succeeded, in seconds since the epoch
    :param tries: of the task that took most
    """

    waits: int
    succeeded: int
    twice: int
    last: float
    tries: int

    @property
    def lost(self) -> int:
        """How many have not succeeded."""
        return self.waits - self.succeeded


class Ledger:
    """
    Reads Airflow's database, and the table that is added to it.

    :param database: its SQLAlchemy URL
    """

    def __init__(self, database: str) -> None:
        # The server is restarted at times: a connection is tried before it is used.
        self._engine: Engine = create_engine(database, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        with self._engine.connect() as connection:
            connection.exec_driver_sql(TABLE)

    def states(self, run_id: str, tasks: str = "%") -> dict[str, int]:
        """Return how many tasks of a run are in each state; ``tasks`` is a pattern of SQL's LIKE."""
        return {row[0] or "none": row[1] for row in self.rows(STATES, run=run_id, tasks=tasks)}

    def outcome(self, run_id: str, tasks: str = "%") -> Outcome:
        """Return what became of a run's tasks."""
        states = self.states(run_id, tasks)
        asked = {"run": run_id, "tasks": tasks}
        ((twice,),), ((last,),), ((tries,),) = (self.rows(query, **asked) for query in (TWICE, LAST, TRIES))
        return Outcome(sum(states.values()), states.get("success", 0), twice, float(last or 0.0), tries)

    def running_triggers(self, run_id: str, *, within: float, since: float = 0.0) -> int:
        """
        Return how many triggers of a run are with a triggerer that is alive.

        :param within: seconds since whose last sign of life counts as alive
        :param since: only triggerers that started after this, in seconds since the epoch
        """
        ((count,),) = self.rows(ALIVE, run=run_id, within=within, since=since)
        return int(count)

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        """Return the rows of a query, or none for a statement that has no rows."""
        with self._engine.connect() as connection:
            result = connection.execute(text(query), parameters)
            return list(result) if result.returns_rows else []

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

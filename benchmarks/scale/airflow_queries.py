"""Airflow's queries over the rows of waits, each measured; in a process with that Airflow's environment."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.scale import costs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

Costs = dict[str, dict[str, float]]

ROWS = Path(__file__).with_name("waits.sql")
ROUNDS = 5


def fill(waits: int, triggerers: int) -> None:
    """Let tasks wait, by the rows that this leaves."""
    from airflow.settings import engine
    from sqlalchemy import text

    with engine.begin() as connection:
        for statement in ROWS.read_text().split(";\n")[:-1]:
            connection.execute(text(statement.format(waits=waits, triggerers=triggerers)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def run_queries(waits: int) -> Costs:
    """
    Do what a triggerer does in each of its loops, then what it and the scheduler do now and then.

    :return: by query, milliseconds (and how many of them the caller computed), statements and transactions.
    """
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.trigger import Trigger
    from airflow.settings import engine
    from airflow.triggers.base import TriggerEvent

    scheduler = SchedulerJobRunner(Job())
    ended = iter(range(1, waits))
    event = TriggerEvent({"verdict": "finished", "message": None, "operations": [{"id": "comms_operation_1"}]})
    queries: dict[str, Callable[[], Any]] = {
        "assign_unassigned": lambda: Trigger.assign_unassigned(1, waits + 1, costs.UNHEALTHY_AFTER),
        "ids_for_triggerer": lambda: Trigger.ids_for_triggerer(1),
        "clean_unused": Trigger.clean_unused,
        "submit_event": lambda: Trigger.submit_event(next(ended), event),
        "check_trigger_timeouts": scheduler.check_trigger_timeouts,
        "_remove_unreferenced_triggers": scheduler._remove_unreferenced_triggers,
        "1,000 task instances of a run": _examine_run,
    }
    meter = _Meter(engine)
    return {name: meter.cost_of(query) for name, query in queries.items()}


def _examine_run() -> None:
    """Read a run as the scheduler does to see what it may start."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        run = session.scalars(select(DagRun).where(DagRun.run_id == "run 1")).one()
        run.get_task_instances(session=session)


@dataclass
class _Round:
    milliseconds: float = 0.0
    caller: float = 0.0
    statements: int = 0
    transactions: int = 0


class _Meter:
    """
    Measures what calls cost.

    :param engine: what they speak to the database with.
    """

    def __init__(self, engine: Engine) -> None:
        from sqlalchemy import event

        self._round = _Round()
        event.listen(engine, "before_cursor_execute", self._note_statement)
        event.listen(engine, "commit", self._note_transaction)

    def cost_of(self, query: Callable[[], Any]) -> dict[str, float]:
        """Return the medians of some rounds; a first one, in which statements are compiled, does not count."""
        query()
        rounds = [self._measured(query) for _ in range(ROUNDS)]
        return {unit: median(getattr(one, unit) for one in rounds) for unit in vars(rounds[0])}

    def _measured(self, query: Callable[[], Any]) -> _Round:
        with self._new_round() as measured:
            query()
        return measured

    @contextmanager
    def _new_round(self) -> Iterator[_Round]:
        measured = self._round = _Round()
        begun, cpu = time.perf_counter(), time.process_time()
        yield measured
        measured.milliseconds = (time.perf_counter() - begun) * 1000
        measured.caller = (time.process_time() - cpu) * 1000

    def _note_statement(self, *_: Any) -> None:
        self._round.statements += 1

    def _note_transaction(self, *_: Any) -> None:
        self._round.transactions += 1

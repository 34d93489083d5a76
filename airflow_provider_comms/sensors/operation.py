"""The sensor: waits until operations have ended."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseSensorOperator, PokeReturnValue, conf

from airflow_provider_comms.comms.arguments import check_resource
from airflow_provider_comms.comms.errors import are_credentials_refused
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.sensors.start_from_trigger import start_arguments, unsupported_reason
from airflow_provider_comms.sensors.start_time import started_at
from airflow_provider_comms.tasks.arguments import check_when_parsed, is_collection, is_literal
from airflow_provider_comms.tasks.base import OperationTask
from airflow_provider_comms.tasks.result import conclude, fail_fast_on_permanent_errors
from airflow_provider_comms.waiting.outcome import Waiting, policy_of, state_text
from airflow_provider_comms.waiting.pace import DEFAULT_GRACE, DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_comms.comms.errors import CommsError
    from airflow_provider_comms.comms.models import Operation
    from airflow_provider_comms.hooks.comms import CommsHook
    from airflow_provider_comms.waiting.outcome import OnCanceled
    from airflow_provider_comms.waiting.wait import Wait

SCHEDULER_MARGIN = timedelta(minutes=5)
"""How much longer Airflow's scheduler waits than the trigger, which can say what it waited for."""


class CommsOperationSensor(OperationTask, BaseSensorOperator):
    """
    Wait until e-mail or message operations are COMPLETED or CANCELED.

    It looks once; if the operation has not ended, it leaves its worker and goes on waiting in the triggerer
    (`deferrable`), or pokes on, or reschedules itself. Trouble that may pass (429, 5xx, no connection) is waited
    out; an error that will not pass (400, 401, 403, 404) fails the task at once.

    :param resource: "emails" or "messages" (templated). The id does not tell.
    :param operation_id: the id that Twilio answered to the send; or the XCom of a task that returns it; or
        several, which are all waited for (templated).
    :param comms_conn_id: id of the Airflow connection, of type `twilio_comms` (templated).
    :param deferrable: wait in the triggerer; by default as `[operators] default_deferrable` says.
    :param on_canceled: what a CANCELED operation does to the task: "succeed" (with a warning), "fail", "skip".
    :param fail_if: counters that turn a COMPLETED operation into a failure: name to a number of recipients or a
        share of them, such as `{"failed": "2%", "undelivered": 50}`.
    :param poke_interval: seconds or timedelta between two looks.
    :param adaptive: look less often while nothing moves and more often when the end is near; see
        `pace.next_interval`.
    :param grace: seconds from the start of the wait in which a 404 may mean that the operation is too young to be
        known. Within them an answer that is not the API's (a portal's page) fails the task, later it is waited out.
    :param run_in_triggerer: start and end the wait in the triggerer, so that no worker is needed at all (Airflow
        3.3). Where that cannot be had the wait is `deferrable`, and the log says why.
    :param timeout: seconds or timedelta until the wait is given up; 24 hours by default. Twilio keeps an
        operation for 7 days.

    :return: XCom of the operation, `{"id", "resource", "status", "created_at", "updated_at", "stats"}`; a list
        of them if several ids were given.
    :raises CommsArgumentError: an argument cannot be right.
    """

    def __init__(
        self,
        *,
        resource: str,
        operation_id: Any,
        comms_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        on_canceled: OnCanceled = "succeed",
        fail_if: Mapping[str, int | str] | None = None,
        adaptive: bool = False,
        grace: float = DEFAULT_GRACE,
        run_in_triggerer: bool = False,
        timeout: timedelta | float = DEFAULT_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        check_when_parsed(resource, operation_id)
        if is_literal(resource):
            policy_of(check_resource(resource), on_canceled, fail_if)
        self.resource = resource
        self.operation_id = operation_id
        self.comms_conn_id = comms_conn_id
        self.deferrable = deferrable
        self.on_canceled = on_canceled
        self.fail_if = fail_if
        self.adaptive = adaptive
        self.grace = grace
        self.run_in_triggerer = run_in_triggerer
        self._why_with_workers = unsupported_reason(self) if run_in_triggerer else None
        if run_in_triggerer:
            self._start_in_triggerer()

    def _start_in_triggerer(self) -> None:
        self.deferrable = True
        if self._why_with_workers is None:
            self.start_from_trigger = True
            self.start_trigger_args = start_arguments(self, self._trigger_kwargs(), SCHEDULER_MARGIN)

    @cached_property
    def hook(self) -> CommsHook:
        """The hook behind the connection."""
        from airflow_provider_comms.hooks.comms import CommsHook

        return CommsHook(self.comms_conn_id)

    def poke(self, context: Context) -> bool | PokeReturnValue:
        """
        Look once, at each operation that has not ended.

        Where the wait goes on in the triggerer, this defers. Airflow's own loop calls it in every mode, so that
        soft_fail, never_fail and timeout mean the same in each.
        """
        with fail_fast_on_permanent_errors():
            wait = self._wait(context)
            looked = self._look(wait)
        verdict = wait.look(looked, wait.now())
        if isinstance(verdict, Waiting):
            if self.deferrable:
                self._defer(wait)
            return False
        return PokeReturnValue(is_done=True, xcom_value=self._result(wait.event(verdict)))

    def _look(self, wait: Wait) -> dict[str, Operation | CommsError]:
        looked = self.hook.get_conn().try_operations(wait.resource, wait.pending)
        if are_credentials_refused(looked.values()) and self._has_new_connection():
            looked = self.hook.get_conn().try_operations(wait.resource, wait.pending)
        return looked

    def _has_new_connection(self) -> bool:
        """Read the connection again: a token may have been rotated since the wait began."""
        old = self.hook
        del self.hook
        if self.hook.settings == old.settings:
            return False
        self.log.info("The connection %s has changed since the wait began.", self.comms_conn_id)
        return True

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """Resume when the trigger has seen the end; it leaves the line that tells of it to the worker."""
        operations = self._result(event)
        for operation in operations if isinstance(operations, list) else [operations]:
            self.log.info("%s", state_text(operation))
        return operations

    def _result(self, event: Mapping[str, Any]) -> Any:
        operations = conclude(event, self.log)
        return operations if is_collection(self.operation_id) else operations[0]

    def _defer(self, wait: Wait) -> None:
        from airflow_provider_comms.triggers.operation import CommsOperationTrigger

        now = wait.now()
        ids = list(wait.operation_ids)
        trigger = CommsOperationTrigger(
            resource=wait.resource.value,
            operation_id=ids if is_collection(self.operation_id) else ids[0],
            comms_conn_id=self.comms_conn_id,
            started_at=wait.started_at,
            next_look_at=now + wait.delay(now),
            ends_task=self.run_in_triggerer and self._why_with_workers is None,
            **self._trigger_kwargs(),
        )
        remaining = timedelta(seconds=wait.remaining(now))
        self.defer(trigger=trigger, method_name="execute_complete", timeout=remaining + SCHEDULER_MARGIN)

    def _trigger_kwargs(self) -> dict[str, Any]:
        """Return what the trigger must know beyond what is templated."""
        return {
            "poke_interval": self.poke_interval,
            "timeout": self.timeout,
            "on_canceled": self.on_canceled,
            "fail_if": dict(self.fail_if or {}),
            "adaptive": self.adaptive,
            "grace": self.grace,
        }

    _current_wait: Wait | None = None

    def _wait(self, context: Context) -> Wait:
        """Return this run's wait; it lives as long as the process pokes on."""
        if self._current_wait is None:
            self._current_wait = self._new_wait(context)
        return self._current_wait

    def _new_wait(self, context: Context) -> Wait:
        from airflow_provider_comms.waiting.wait import Wait

        resource, ids = self.resolve_operations()
        if self._why_with_workers:
            self.log.info("run_in_triggerer: it starts and ends on a worker, for %s.", self._why_with_workers)
        return Wait(
            resource=resource,
            operation_ids=ids,
            policy=policy_of(resource, self.on_canceled, self.fail_if),
            poke_interval=self.poke_interval,
            started_at=started_at(self, context),
            timeout=self.timeout,
            log=self.log,
            adaptive=self.adaptive,
            grace=self.grace,
            looks=context.get("task_reschedule_count", 0),
        )

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        """
        Wait as long as the trigger would: the pace, the API's wish and the deadline count here too.

        Airflow asks this after each poke.
        """
        interval = super()._get_next_poke_interval(*args, **kwargs)
        if self._current_wait is None:
            return interval
        now = self._current_wait.now()
        ours = self._current_wait.delay(now)
        return min(max(interval, ours), self._current_wait.remaining(now)) if self.exponential_backoff else ours

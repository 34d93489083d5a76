"""The sensor: waits until operations have ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseSensorOperator, PokeReturnValue, conf

from airflow_provider_comms.comms.arguments import check_bool, check_resource
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.sensors.poke_pause import PausesAsTheWaitSays
from airflow_provider_comms.sensors.start_from_trigger import start_arguments, unsupported_reason
from airflow_provider_comms.sensors.start_time import started_at
from airflow_provider_comms.tasks.arguments import check_when_parsed, is_literal
from airflow_provider_comms.tasks.base import OperationTask
from airflow_provider_comms.tasks.polls import PollingTask
from airflow_provider_comms.tasks.result import end_from_event, fail_fast_on_permanent_errors, result_of
from airflow_provider_comms.triggers.deferral import SCHEDULER_MARGIN, defer_wait
from airflow_provider_comms.waiting.spec import (
    DEFAULT_GRACE,
    DEFAULT_POKE_INTERVAL,
    DEFAULT_TIMEOUT,
    WaitSpec,
    seconds_of,
)
from airflow_provider_comms.waiting.verdict import Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_comms.tasks.base import OperationIds
    from airflow_provider_comms.waiting.spec import OnCanceled
    from airflow_provider_comms.waiting.wait import Wait
    from airflow_provider_comms.xcoms import OperationXCom


class CommsOperationSensor(PausesAsTheWaitSays, PollingTask, OperationTask, BaseSensorOperator):
    """
    Wait until e-mail or message operations are COMPLETED or CANCELED.

    It polls once. If the operation has not ended, the sensor leaves its worker and waits in the triggerer
    (`deferrable`), or keeps poking, or reschedules itself. It waits through temporary problems (429, 5xx, no
    connection); a permanent error (400, 401, 403, 404) fails the task at once.

    :param resource: "emails" or "messages" (templated). The id does not say which.
    :param operation_id: the id that Twilio returned for the send, or its whole response; the XCom of a task that
        returns either; or a list of these, to wait for all of them (templated).
    :param comms_conn_id: id of the Airflow connection, of type `twilio_comms` (templated).
    :param deferrable: wait in the triggerer.
    :param on_canceled: what a CANCELED operation does to the task: "succeed" (with a warning), "fail" or "skip".
    :param fail_if: limits that fail the task when the operation is COMPLETED, such as `{"failed": "2%",
        "undelivered": 50, "reached": "< 95%"}`. A key is a counter, or the figure `reached`, `not_reached` or
        `in_progress`. A value is the maximum, as a number or percentage of recipients, or with `<` the minimum.
    :param fail_early: fail while the operation still runs, as soon as a limit of `fail_if` is certain to be broken: too
        many have failed, or too few are left to reach a minimum. The operation itself continues.
    :param poke_interval: seconds or timedelta between two polls; at least 1 second.
    :param adaptive: poll less often while nothing changes, and more often when the end is near; see
        `pace.next_interval`.
    :param grace: seconds or timedelta from the start of the wait. During this time a 404 may mean that Twilio does not
        know the operation yet, and a response that is not the API's (a portal's page) fails the task; later, the
        sensor waits until the API answers again.
    :param run_in_triggerer: start and end the wait in the triggerer, so that it needs no worker at all (Airflow 3.3).
        Where that is not supported, the sensor defers as usual and its log says why.
    :param timeout: seconds or timedelta after which the task fails; at most a year. Twilio keeps an operation for 7
        days.

    :return: XCom of the operation, `{"id", "resource", "status", "created_at", "updated_at", "stats",
        "figures", "rates"}`; a list of them if several ids were given.
    :raises CommsArgumentError: an argument is invalid.
    """

    def __init__(
        self,
        *,
        resource: str,
        operation_id: OperationIds,
        comms_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        on_canceled: OnCanceled = "succeed",
        fail_if: Mapping[str, int | str] | None = None,
        fail_early: bool = False,
        poke_interval: timedelta | float = DEFAULT_POKE_INTERVAL,
        adaptive: bool = False,
        grace: timedelta | float = DEFAULT_GRACE,
        run_in_triggerer: bool = False,
        timeout: timedelta | float = DEFAULT_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        spec = WaitSpec.parse(
            poke_interval=poke_interval,
            timeout=timeout,
            adaptive=adaptive,
            grace=grace,
            on_canceled=on_canceled,
            fail_if=fail_if,
            fail_early=fail_early,
        )
        super().__init__(poke_interval=spec.poke_interval, timeout=spec.timeout, **kwargs)
        check_when_parsed(resource, operation_id)
        if is_literal(resource):
            spec.check_for(check_resource(resource))
        self.resource = resource
        self.operation_id = operation_id
        self.comms_conn_id = comms_conn_id
        self.deferrable = check_bool("deferrable", deferrable)
        self.spec = spec
        self._is_slowed_down = seconds_of("poke_interval", poke_interval) < spec.poke_interval
        self.run_in_triggerer = check_bool("run_in_triggerer", run_in_triggerer)
        self._unsupported_reason = unsupported_reason(self) if run_in_triggerer else None
        if run_in_triggerer:
            self._start_in_triggerer()

    def _start_in_triggerer(self) -> None:
        self.deferrable = True
        if self._unsupported_reason is None:
            self.start_from_trigger = True
            self.start_trigger_args = start_arguments(self, self.spec, SCHEDULER_MARGIN)

    def poke(self, context: Context) -> bool | PokeReturnValue:
        """
        Poll once, each operation that has not ended.

        Where the wait goes on in the triggerer, this defers. Airflow's own loop calls it in every mode, so that
        soft_fail, never_fail and timeout mean the same in each.
        """
        with fail_fast_on_permanent_errors():
            wait = self._wait(context)
            verdict = wait.poll(self.ask)
        if isinstance(verdict, Waiting):
            if self.deferrable:
                defer_wait(self, wait, ends_task=self.run_in_triggerer and self._unsupported_reason is None)
            return False
        end = wait.end(verdict, wait.now())
        return PokeReturnValue(is_done=True, xcom_value=result_of(end, is_list=wait.targets.is_list, log=self.log))

    def execute_complete(self, context: Context, event: Mapping[str, object]) -> OperationXCom | list[OperationXCom]:  # noqa: ARG002
        """Resume when the trigger has seen the end; the worker logs it."""
        end = end_from_event(event)
        # Events of 0.1.0 do not say whether a list was waited for.
        is_list = end.is_list if end.is_list is not None else self.resolve_targets().is_list
        return result_of(end, is_list=is_list, log=self.log)

    def _wait(self, context: Context) -> Wait:
        """Return this run's wait; it lives as long as the process keeps poking."""
        if self._current_wait is None:
            self._current_wait = self._new_wait(context)
        return self._current_wait

    def _new_wait(self, context: Context) -> Wait:
        # Before the import, which takes its time: Airflow's own timeout counts already, and must not be first.
        start = started_at(self, context)
        from airflow_provider_comms.waiting.wait import Wait

        targets = self.resolve_targets()
        if self._is_slowed_down:
            self.log.warning("Polling every %g s: a shorter poke_interval is not supported.", self.spec.poke_interval)
        if self.deferrable and not self.retries:
            self.log.warning("retries=0: if a worker dies while this wait resumes, the task fails. Use 1 or more.")
        if self._unsupported_reason:
            self.log.info(
                "run_in_triggerer: the wait starts and ends on a worker, because %s.", self._unsupported_reason
            )
        return Wait(
            targets=targets,
            # Airflow's own two may have been changed since, by a cluster policy.
            spec=replace(self.spec, poke_interval=self.poke_interval, timeout=self.timeout).check_for(targets.resource),
            started_at=start,
            log=self.log,
            polls=context.get("task_reschedule_count", 0),
        )

"""The sensor: waits until operations have ended."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from time import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseSensorOperator, PokeReturnValue, conf

from airflow_provider_comms.comms.arguments import check_resource
from airflow_provider_comms.comms.errors import CommsError
from airflow_provider_comms.conclude import conclude
from airflow_provider_comms.exceptions import CommsRequestRefused
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.outcome import Waiting, policy_of
from airflow_provider_comms.task_arguments import are_several, check_at_parsing, ids_of, is_known, undocumented

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_comms.hooks.comms import CommsHook
    from airflow_provider_comms.outcome import OnCanceled
    from airflow_provider_comms.wait import Wait

DEFAULT_TIMEOUT = timedelta(hours=24)
SCHEDULER_MARGIN = timedelta(minutes=5)
"""How much longer Airflow's scheduler waits than the trigger, which can say what it waited for."""


class CommsOperationSensor(BaseSensorOperator):
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
    :param timeout: seconds or timedelta until the wait is given up; 24 hours by default. Twilio keeps an
        operation for 7 days.

    :return: XCom of the operation, `{"id", "resource", "status", "created_at", "updated_at", "stats"}`; a list
        of them if several ids were given.
    :raises CommsArgumentError: an argument cannot be right.
    """

    template_fields: Sequence[str] = ("resource", "operation_id", "comms_conn_id")
    ui_color = "#f4d8d8"

    def __init__(
        self,
        *,
        resource: str,
        operation_id: Any,
        comms_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        on_canceled: OnCanceled = "succeed",
        fail_if: Mapping[str, int | str] | None = None,
        timeout: timedelta | float = DEFAULT_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        check_at_parsing(resource, operation_id)
        if is_known(resource):
            policy_of(check_resource(resource), on_canceled, fail_if)
        self.resource = resource
        self.operation_id = operation_id
        self.comms_conn_id = comms_conn_id
        self.deferrable = deferrable
        self.on_canceled = on_canceled
        self.fail_if = fail_if

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
        try:
            wait = self._wait(context)
            looked = self.hook.get_conn().try_operations(wait.resource, wait.pending)
        except CommsError as error:
            # Not an answer of the API: an argument or the connection is wrong.
            raise CommsRequestRefused(str(error)) from error
        for operation_id, seen in looked.items():
            wait.note(operation_id, seen, time())
        verdict = wait.verdict(time())
        if isinstance(verdict, Waiting):
            if self.deferrable:
                self._defer(wait)
            return False
        return PokeReturnValue(is_done=True, xcom_value=self._result(wait.event(verdict)))

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """Resume when the trigger has seen the end."""
        return self._result(event)

    def _result(self, event: Mapping[str, Any]) -> Any:
        operations = conclude(event, self.log)
        return operations if are_several(self.operation_id) else operations[0]

    def _defer(self, wait: Wait) -> None:
        from airflow_provider_comms.triggers.operation import CommsOperationTrigger

        now = time()
        self.defer(
            trigger=CommsOperationTrigger(
                resource=wait.resource.value,
                operation_ids=list(wait.operation_ids),
                comms_conn_id=self.comms_conn_id,
                poke_interval=self.poke_interval,
                started_at=wait.started_at,
                timeout=self.timeout,
                next_look_at=now + wait.delay(now),
                on_canceled=self.on_canceled,
                fail_if=dict(self.fail_if or {}),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=wait.remaining(now)) + SCHEDULER_MARGIN,
        )

    _current_wait: Wait | None = None

    def _wait(self, context: Context) -> Wait:
        """Return this run's wait; it lives as long as the process pokes on."""
        if self._current_wait is None:
            self._current_wait = self._new_wait(context)
        return self._current_wait

    def _new_wait(self, context: Context) -> Wait:
        from airflow_provider_comms.wait import Wait

        resource, ids = check_resource(self.resource), ids_of(self.operation_id)
        if odd := undocumented(ids):
            self.log.warning("Not the form of an operation id that Twilio documents: %s", ", ".join(odd))
        return Wait(
            resource=resource,
            operation_ids=ids,
            policy=policy_of(resource, self.on_canceled, self.fail_if),
            poke_interval=self.poke_interval,
            started_at=self._started_at(context),
            timeout=self.timeout,
            log=self.log,
        )

    def _started_at(self, context: Context) -> float:
        """Return when the first look of this try was, also where each look is a process of its own."""
        first_look = getattr(context["ti"], "get_first_reschedule_date", None)
        first = first_look(context) if self.reschedule and first_look else None
        return first.timestamp() if first else time()

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        """Wait longer than the interval where the API asks for it. Airflow asks this after each poke."""
        wished = self._current_wait.delay(time()) if self._current_wait else 0.0
        return max(super()._get_next_poke_interval(*args, **kwargs), wished)

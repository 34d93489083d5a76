"""
Can this sensor start from its trigger and end there, and with what arguments?

Airflow can start a task in the triggerer from 2.10 on, but renders its templates there from 3.3 on only; and it
drops what only a worker does: callbacks of success, asset events, hooks around `execute`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_comms.tasks.arguments import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseSensorOperator
    from airflow.triggers.base import StartTriggerArgs

    from airflow_provider_comms.waiting.spec import WaitSpec

TRIGGER = "airflow_provider_comms.triggers.operation.CommsOperationTrigger"
_DROPPED = ("on_success_callback", "on_execute_callback", "outlets")
_DROPPED_HOOKS = {"pre_execute": "_pre_execute_hook", "post_execute": "_post_execute_hook"}
"""Arguments that Airflow keeps under private names only. Were these renamed, such a sensor would start in the triggerer
and its hook would not be called; a test holds the names."""


def unsupported_reason(sensor: BaseSensorOperator) -> str | None:
    """Return why the sensor cannot start from its trigger; None if it can."""
    if not _airflow_renders_in_triggerer():
        return "it needs Airflow 3.3"
    dropped = [name for name in _DROPPED if getattr(sensor, name, None)]
    dropped += [name for name, attribute in _DROPPED_HOOKS.items() if getattr(sensor, attribute, None)]
    if dropped:
        return f"Airflow would drop {', '.join(dropped)}"
    if getattr(sensor, "multiple_outputs", False) or not sensor.do_xcom_push:
        return "it does not push its plain result as XCom"
    if any(_template_of(getattr(sensor, name)) is None for name in sensor.template_fields):
        return "only a worker can render its operation_id"
    return None


def start_arguments(sensor: BaseSensorOperator, spec: WaitSpec, margin: timedelta) -> StartTriggerArgs:
    """
    Return what Airflow needs to start the wait in the triggerer.

    :param spec: how to wait.
    :param margin: how much longer Airflow waits than the trigger.
    """
    from airflow.triggers.base import StartTriggerArgs

    templates = {name: _template_of(getattr(sensor, name)) for name in sensor.template_fields}
    return StartTriggerArgs(
        trigger_cls=TRIGGER,
        trigger_kwargs={**templates, **spec.to_json(), "ends_task": True},
        next_method="execute_complete",
        timeout=timedelta(seconds=spec.timeout) + margin,
    )


def _airflow_renders_in_triggerer() -> bool:
    try:
        from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_3_PLUS
    except ImportError:
        return False
    return bool(AIRFLOW_V_3_3_PLUS)


def _template_of(value: Any) -> Any:
    """Return a template for the value that the triggerer can render; None if there is none."""
    if isinstance(value, XComArg):
        return _xcom_template(value)
    if isinstance(value, (list, tuple)):
        return list(value) if all(isinstance(one, str) and is_literal(one) for one in value) else None
    if not isinstance(value, str):
        return None
    # Without map_indexes an xcom_pull asks for what the triggerer cannot get, and would never be answered.
    asks_worker = "xcom_pull" in value and "map_indexes" not in value
    return None if asks_worker else value


def _xcom_template(argument: XComArg) -> str | None:
    operator = getattr(argument, "operator", None)
    if operator is None or getattr(operator, "is_mapped", False) or operator.get_closest_mapped_task_group():
        return None
    key = getattr(argument, "key", "return_value")
    pull = f"ti.xcom_pull(task_ids={operator.task_id!r}, key={key!r}, map_indexes=-1)"
    return f"{{{{ {pull} | tojson }}}}"

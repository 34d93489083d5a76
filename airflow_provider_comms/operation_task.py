"""What the sensor and the operators share as tasks of Airflow about operations: arguments, names, the link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_comms.links.console import TwilioConsoleLink
from airflow_provider_comms.task_arguments import ids_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class OperationTask:
    """Stands before Airflow's base class among the bases of a task that is about operations."""

    template_fields: Sequence[str] = ("resource", "operation_id", "comms_conn_id")
    operator_extra_links = (TwilioConsoleLink(),)
    ui_color = "#f4d8d8"

    operation_id: Any

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Let the grid show a mapped task by its operation, unless the DAG's author names it otherwise."""
        kwargs.setdefault("map_index_template", "{{ task.operation_name }}")
        return super().partial(**kwargs)  # type: ignore[misc]

    @property
    def operation_name(self) -> str:
        """The id, or the ids, after the templates are rendered."""
        return ", ".join(ids_of(self.operation_id))

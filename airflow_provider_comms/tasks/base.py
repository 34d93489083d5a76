"""What the sensor and the operators share as tasks of Airflow about operations: arguments, names, the link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.arguments import check_resource
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.links.console import TwilioConsoleLink
from airflow_provider_comms.tasks.arguments import ids_of, unrecognized_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airflow.providers.common.compat.sdk import BaseOperatorLink

    from airflow_provider_comms.comms.resource import Resource

MAX_LABEL = 200
"""Characters of a mapped task's label. Airflow's database holds 250, does not cut, and fails the task above that."""


class OperationTask:
    """Stands before Airflow's base class among the bases of a task that is about operations."""

    template_fields: Collection[str] = ("resource", "operation_id", "comms_conn_id")
    operator_extra_links: Collection[BaseOperatorLink] = (TwilioConsoleLink(),)
    ui_color = "#f4d8d8"

    resource: Any
    operation_id: Any
    log: Any  # Airflow's base class brings it.

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Let the grid show a mapped task by its operation, unless the DAG's author names it otherwise."""
        kwargs.setdefault("map_index_template", "{{ task.map_label }}")
        return super().partial(**kwargs)  # type: ignore[misc]

    def resolve_operations(self) -> tuple[Resource, Sequence[str]]:
        """
        Return what the arguments name, after the templates are rendered, and warn of ids of an unusual form.

        :raises CommsArgumentError: one of them cannot be right.
        """
        resource, ids = check_resource(self.resource), ids_of(self.operation_id)
        if odd := unrecognized_ids(ids):
            self.log.warning("Not the form of an operation id that Twilio documents: %s", ", ".join(odd))
        return resource, ids

    @property
    def map_label(self) -> str:
        """The first id, and how many more there are, after the templates are rendered; never an error."""
        try:
            first, *others = ids_of(self.operation_id)
        except (CommsArgumentError, TypeError):  # Not rendered yet, or the task is about to refuse it.
            return "operation_id unknown"
        more = f" and {len(others)} more" if others else ""
        return f"{shortened(first, MAX_LABEL - len(more))}{more}"


def shortened(text: str, length: int) -> str:
    """Return the text, cut to a number of characters if it is longer."""
    return text if len(text) <= length else f"{text[: length - 3]}..."

"""What the sensor and the operators share as tasks of Airflow about operations: arguments, names, the link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.links.console import TwilioConsoleLink
from airflow_provider_comms.waiting.targets import Targets, ids_of, label_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow.providers.common.compat.sdk import BaseOperatorLink, XComArg
    from airflow.sdk.definitions.mappedoperator import OperatorPartial

    OperationIds = str | Mapping[str, object] | Iterable[object] | XComArg

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
    def partial(cls, **kwargs: Any) -> OperatorPartial:
        """Let the grid show a mapped task by its operation, unless the DAG's author names it otherwise."""
        kwargs.setdefault("map_index_template", "{{ task.map_label }}")
        made: OperatorPartial = super().partial(**kwargs)  # type: ignore[misc]
        return made

    def resolve_targets(self) -> Targets:
        """
        Return what the arguments name, after the templates are rendered, and warn of ids of an unusual form.

        :raises CommsArgumentError: one of them is invalid.
        """
        targets = Targets.of(self.resource, self.operation_id)
        if unrecognized := targets.unrecognized():
            self.log.warning("Not in the format that Twilio documents for operation ids: %s", label_of(unrecognized))
        return targets

    @property
    def map_label(self) -> str:
        """The first id, and how many more there are, after the templates are rendered; never an error."""
        try:
            return label_of(ids_of(self.operation_id), MAX_LABEL)
        except (CommsArgumentError, TypeError):  # Not rendered yet, or the task is about to refuse it.
            return "operation_id unknown"

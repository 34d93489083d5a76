"""The operator that hands on the delivery stats of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_comms.hooks.comms import CommsHook
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.tasks.arguments import check_when_parsed
from airflow_provider_comms.tasks.base import OperationTask
from airflow_provider_comms.tasks.fetch import fetch_all
from airflow_provider_comms.tasks.result import fail_fast_on_permanent_errors
from airflow_provider_comms.waiting.description import ended_line
from airflow_provider_comms.waiting.payload import operation_xcom, sums_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_comms.tasks.base import OperationIds
    from airflow_provider_comms.xcoms import OperationsXCom, OperationXCom


MAX_LINES = 20
"""Operations of which each has a line in the log; all of them have one together."""


class CommsExportStatsOperator(OperationTask, BaseOperator):
    """
    Read operations as they are now, and return their delivery stats and rates.

    It does not wait: put a `CommsOperationSensor` before it. Opens and reads keep growing after an operation has ended,
    so a later run may show more.

    :param resource: "emails" or "messages" (templated).
    :param operation_id: an id, Twilio's whole response to a send, the XCom of a sensor or operator of this provider,
        or a list of these (templated).
    :param comms_conn_id: id of the Airflow connection, of type `twilio_comms` (templated).
    :param multiple_outputs: also push each key as an XCom of its own, so that a downstream task can take just
        `export.output["stats"]`.

    :return: for one id the operation's XCom, `{"id", "resource", "status", "created_at", "updated_at", "stats",
        "figures", "rates"}` (see `reports.figures` and `reports.rates`). For several ids
        `{"resource", "operations", "stats", "figures", "rates"}`: each operation in `operations`, the sums of their
        counters and figures, and the rates of these sums.
    :raises CommsArgumentError: an argument is invalid.
    :raises CommsPermanentError: an argument or the connection is invalid, or the API refuses the request; no retries.
    :raises CommsError: a temporary error; Airflow's `retries` apply.
    """

    def __init__(
        self,
        *,
        resource: str,
        operation_id: OperationIds,
        comms_conn_id: str = DEFAULT_CONN_ID,
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        check_when_parsed(resource, operation_id)
        self.resource = resource
        self.operation_id = operation_id
        self.comms_conn_id = comms_conn_id

    def execute(self, context: Context) -> OperationXCom | OperationsXCom:  # noqa: ARG002
        """Fetch the operations and build the XCom."""
        with fail_fast_on_permanent_errors():
            targets = self.resolve_targets()
            operations = fetch_all(CommsHook(self.comms_conn_id), targets)
        exports = {one.id: operation_xcom(one) for one in operations}
        for export in list(exports.values())[:MAX_LINES]:
            self.log.info("%s", ended_line([export]))
        if not targets.is_list:
            return exports[targets.ids[0]]
        if len(exports) > 1:
            self.log.info("All %s operations: %s", f"{len(exports):,}", ended_line(list(exports.values())))
        # An id that was given twice counts once.
        return {
            "resource": targets.resource.value,
            "operations": [exports[one] for one in targets.ids],
            **sums_of(exports.values()),
        }

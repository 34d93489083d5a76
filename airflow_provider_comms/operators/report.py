"""The operator that reports on what was sent in a window of time."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_comms.comms.arguments import check_status
from airflow_provider_comms.comms.errors import CommsArgumentError
from airflow_provider_comms.exceptions import CommsReportIncomplete, CommsTaskFailed, CommsThresholdExceeded
from airflow_provider_comms.hooks.fields import DEFAULT_CONN_ID
from airflow_provider_comms.tasks.arguments import is_literal
from airflow_provider_comms.tasks.report_arguments import check_report, resources_of
from airflow_provider_comms.tasks.result import fail_fast_on_permanent_errors
from airflow_provider_comms.waiting.thresholds import parse_thresholds, violations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath, XComArg

    from airflow_provider_comms.reports.produce import Outputs, Report
    from airflow_provider_comms.reports.report import Progress, ReportSpec
    from airflow_provider_comms.reports.summary import Summaries
    from airflow_provider_comms.xcoms import ReportXCom


class CommsReportOperator(BaseOperator):
    """
    Sum up all operations that were created in a time window, and publish rows and an HTML page.

    The window is `window_start` and `window_end`; otherwise the run's partition, a day; otherwise its data interval. It
    is half-open: an operation created exactly at its end belongs to the next window. The operations are listed once,
    and memory does not grow with their number.

    :param resource: "emails", "messages" or a list of both (templated).
    :param window_start: an aware datetime or ISO 8601 string; without an offset it is in `timezone` (templated). Not
        called `start_date`, which is Airflow's own and comes from `default_args`.
    :param window_end: likewise (templated).
    :param status: only operations in this status, such as "COMPLETED"; None for all (templated).
    :param output: folder for the files, local or in an object store, such as "s3://aws_default@bucket/reports", as a
        string or ObjectStoragePath; None for no files (templated).
    :param formats: of the rows: "jsonl", "jsonl.gz", "csv", "csv.gz", "parquet" (needs the extra `parquet`).
    :param html: whether to publish the HTML page as well.
    :param partition_by: "day" for a file per resource and day, `<resource>/date=2026-11-20/operations.<format>`, which
        later runs replace as a whole; None for one file per format.
    :param timezone: name of the time zone of the days and hours, such as "Europe/Berlin" (templated).
    :param top: how many of the worst operations are shown: those with the greatest share not reached.
    :param fail_if: limits for each resource's totals, as for the sensor. A broken limit fails the task after everything
        is published; a task that runs on failure can read the XCom.
    :param on_incomplete: "warn", or "fail" to publish nothing if operations have not ended or cannot be read (the
        task's retries apply) or the window begins earlier than Twilio's 7 days (no retries).
    :param parallel: slices of the window that are listed at the same time, 1 to 32.
    :param comms_conn_id: id of the Airflow connection, of type `twilio_comms` (templated).

    :param multiple_outputs: also push each key as an XCom of its own, so that a downstream task can take just
        `report.output["violations"]`.

    :return: less than 4 kB; its keys are in docs/reports.md and `reports.produce.Report.as_json`. Each asset in
        `outlets` gets it as the extra of its event.
    :raises CommsArgumentError: an argument is invalid.
    :raises CommsPermanentError: an argument or the connection is invalid, or the API refuses the request; no retries.
    :raises CommsThresholdExceeded: the totals break a limit.
    :raises CommsReportIncomplete: the report is incomplete and `on_incomplete="fail"`.
    :raises CommsError: a temporary error; Airflow's `retries` apply.
    """

    template_fields: Sequence[str] = (
        "resource",
        "window_start",
        "window_end",
        "status",
        "output_folder",
        "timezone",
        "comms_conn_id",
    )
    ui_color = "#f4d8d8"

    def __init__(
        self,
        *,
        resource: str | Sequence[str],
        window_start: datetime | str | None = None,
        window_end: datetime | str | None = None,
        status: str | None = None,
        output: str | ObjectStoragePath | XComArg | None = None,
        formats: str | Sequence[str] = ("jsonl",),
        html: bool = True,
        partition_by: str | None = None,
        timezone: str = "UTC",
        top: int = 20,
        fail_if: Mapping[str, int | str] | None = None,
        on_incomplete: str = "warn",
        parallel: int = 8,
        comms_conn_id: str = DEFAULT_CONN_ID,
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        _refuse_own_dates(kwargs)
        super().__init__(multiple_outputs=multiple_outputs, **kwargs)
        self.resource = resource
        self.window_start = window_start
        self.window_end = window_end
        self.status = status
        self.output_folder = output  # `output` is Airflow's: the task's XCom.
        self.formats = formats
        self.html = html
        self.partition_by = partition_by
        self.timezone = timezone
        self.top = top
        self.fail_if = fail_if
        self.on_incomplete = on_incomplete
        self.parallel = parallel
        self.comms_conn_id = comms_conn_id
        self._report: Report | None = None
        check_report(self._arguments(), is_literal)

    def _arguments(self) -> dict[str, object]:
        names = signature(CommsReportOperator.__init__).parameters
        return {name: getattr(self, "output_folder" if name == "output" else name, None) for name in names}

    def execute(self, context: Context) -> ReportXCom:
        """List, sum up, publish; return the XCom."""
        with fail_fast_on_permanent_errors():
            report = self._produce(context)
        xcom = report.as_json()
        for line in xcom["summary"]["text"].splitlines():
            self.log.info("%s", line)
        for form, file in report.files.items():
            self.log.info("Published %s: %s bytes, %s", form, f"{file['bytes']:,}", file["uri"])
        if report.summaries.broken:
            self._push(context, xcom)
            raise CommsThresholdExceeded(f"{'; '.join(report.summaries.broken)}. Everything was published.")
        self._fill_outlets(context, xcom)
        return xcom

    def _push(self, context: Context, xcom: ReportXCom) -> None:
        """Do what Airflow does for a task that succeeds: one that runs on failure, such as an alert, has use for it."""
        pushed = {"return_value": xcom, **(dict(xcom) if self.multiple_outputs else {})}
        for key, value in pushed.items() if self.do_xcom_push else ():
            context["ti"].xcom_push(key=key, value=value)

    def _produce(self, context: Context) -> Report:
        import pendulum

        from airflow_provider_comms.hooks.comms import CommsHook
        from airflow_provider_comms.hooks.diagnosis import who_is
        from airflow_provider_comms.reports.produce import produce

        check_report(self._arguments())
        now = pendulum.now("UTC")
        spec = self._spec(context)
        outputs = self._outputs(spec)
        self._check_retention(spec, now)
        hook = CommsHook(self.comms_conn_id)
        self.log.info("Listing %s created %s.", " and ".join(spec.resources), spec.window)
        with hook.get_conn() as client:
            self._report = produce(
                client,
                spec,
                outputs,
                account=f"{hook.settings.name}: {who_is(hook.settings)}",
                now=now,
                judge=self._violations,
                check=self._check_complete,
                on_progress=self._log_progress,
            )
        return self._report

    def _spec(self, context: Context) -> ReportSpec:
        from airflow_provider_comms.reports.report import ReportSpec
        from airflow_provider_comms.tasks.report_window import window_of_run

        window = window_of_run(context, self.window_start, self.window_end, self.timezone)
        status = check_status(self.status or None)
        resources = resources_of(self.resource)
        return ReportSpec(resources=resources, window=window, status=status, top=self.top, parallel=self.parallel)

    def _outputs(self, spec: ReportSpec) -> Outputs:
        from airflow_provider_comms.reports.produce import Outputs
        from airflow_provider_comms.reports.rows import check_formats

        formats = check_formats(self.formats)
        if not self.output_folder:
            return Outputs()
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        given, name = self.output_folder, spec.window.name
        folder = given if isinstance(given, ObjectStoragePath) else ObjectStoragePath(str(given))
        return Outputs(
            folder=folder,
            name=f"operations_{name}",
            formats=formats,
            is_daily=self.partition_by == "day",
            html=folder / f"report_{name}.html" if self.html else None,
        )

    def _check_retention(self, spec: ReportSpec, now: datetime) -> None:
        if self.on_incomplete == "fail" and spec.window.reaches_past_retention(now):
            raise CommsTaskFailed(
                f"The window {spec.window} begins more than 7 days ago, and Twilio keeps operations for 7 days. "
                "The task fails because of on_incomplete='fail'; nothing was listed."
            )

    def _check_complete(self, summaries: Summaries) -> None:
        if self.on_incomplete == "fail" and summaries.notes:
            raise CommsReportIncomplete(f"{' '.join(summaries.notes)} Nothing was published (on_incomplete='fail').")
        for note in summaries.notes:
            self.log.warning("%s", note)

    def _violations(self, summaries: Summaries) -> list[str]:
        return violations(parse_thresholds(self.fail_if), summaries.totals())

    def _log_progress(self, progress: Progress) -> None:
        self.log.info("%s", progress)

    def _fill_outlets(self, context: Context, xcom: Any) -> None:
        from airflow.providers.common.compat.sdk import Asset

        for outlet in self.outlets or ():
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra = xcom

    def get_openlineage_facets_on_complete(self, task_instance: object) -> object:  # noqa: ARG002
        """Return the account's resources as inputs and the files as outputs; OpenLineage's provider calls it."""
        from airflow_provider_comms.operators.lineage import lineage_of

        return lineage_of(self._report) if self._report else None


def _refuse_own_dates(kwargs: Mapping[str, object]) -> None:
    """Airflow takes these two for when a task is scheduled, as datetimes; a text or a template means the window."""
    for own, ours in (("start_date", "window_start"), ("end_date", "window_end")):
        if isinstance(kwargs.get(own), str):
            raise CommsArgumentError(
                f"{own}={kwargs[own]!r}: {own} is Airflow's own: when the task's schedule begins or ends.",
                advice=f"Use {ours} for the report's window.",
            )

"""
What the tasks of this provider return, as types: plain JSON, exactly as in the XCom.

For tasks that take an XCom::

    @task
    def alert(report: ReportXCom) -> str:
        return "; ".join(report["violations"])
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class OperationState(TypedDict):
    """
    An operation as it was read last. Counters are those that the API reported; times are ISO 8601 in UTC.

    Version 0.1.0 returned only these fields.
    """

    id: str
    resource: str
    status: str
    created_at: str
    updated_at: str
    stats: dict[str, int]


class OperationXCom(OperationState):
    """Of `CommsOperationSensor` (a list of them where it waits for several), and of `CommsExportStatsOperator`."""

    figures: dict[str, int]
    rates: dict[str, float | None]


class Sums(TypedDict):
    """Counters and figures added up over operations, and rates of the sums."""

    stats: dict[str, int]
    figures: dict[str, int]
    rates: dict[str, float | None]


class OperationsXCom(Sums):
    """Of `CommsExportStatsOperator` for several operations."""

    resource: str
    operations: list[OperationXCom]


class _Send(TypedDict):
    resource: str
    recipients: int
    chunks: int
    send_key: str


class SendXCom(_Send):
    """Of a send operator; `operations` are their ids, and `send_key` is a digest of the key."""

    operations: list[str]


class DeliveryXCom(_Send, Sums):
    """Of a send operator with `wait_for_completion`."""

    operations: list[OperationXCom]


class ReportWindow(TypedDict):
    """Beginning and end of a report's window, ISO 8601 in UTC, and the name of the time zone of its days."""

    start: str
    end: str
    timezone: str


class ReportSums(Sums):
    """What a report sums up over the operations of one resource."""

    operations: int
    by_status: dict[str, int]


class ReportFile(TypedDict):
    """A file that a report published; with `partition_by`, all files of a format: then `uri` is their folder."""

    uri: str
    bytes: int
    sha256: NotRequired[str]
    rows: NotRequired[int]
    files: NotRequired[int]


class ReportSummary(TypedDict):
    """A report in words."""

    text: str
    markdown: str


class ReportXCom(TypedDict):
    """Of `CommsReportOperator`, and what `airflow comms report --output json` prints; less than 4 kB."""

    window: ReportWindow
    as_of: str
    operations: int
    emails: NotRequired[ReportSums]
    messages: NotRequired[ReportSums]
    complete: bool
    notes: list[str]
    violations: list[str]
    files: dict[str, ReportFile]
    summary: ReportSummary

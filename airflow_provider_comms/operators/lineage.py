"""What a report reads and writes, in OpenLineage's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import OutputDataset

    from airflow_provider_comms.reports.produce import Report
    from airflow_provider_comms.xcoms import ReportFile


def lineage_of(report: Report) -> object:
    """Return OpenLineage's OperatorLineage: the account's resources as inputs, and the files as outputs."""
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.extractors import OperatorLineage

    account = report.summaries.account.split()[-1]  # The SID, masked.
    namespace = f"twilio-comms://{account}"
    inputs: list[Dataset] = [Dataset(namespace=namespace, name=one.value) for one in report.summaries.of]
    outputs: list[Dataset] = [_output(file) for file in report.files.values()]
    return OperatorLineage(inputs=inputs, outputs=outputs)


def _output(file: ReportFile) -> OutputDataset:
    from airflow.providers.common.compat.openlineage.facet import (
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )

    parts = urlsplit(file["uri"])
    is_local = parts.scheme == "file"
    statistics = OutputStatisticsOutputDatasetFacet(rowCount=file.get("rows"), size=file["bytes"])
    return OutputDataset(
        namespace="file" if is_local else f"{parts.scheme}://{parts.netloc}",
        name=unquote(parts.path) if is_local else parts.path.removeprefix("/"),
        outputFacets={"outputStatistics": statistics},
    )

"""What a report reads and writes, in OpenLineage's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def lineage_of(account: str, resources: Iterable[str], files: Mapping[str, Mapping[str, Any]]) -> Any:
    """
    Return OpenLineage's OperatorLineage.

    :param account: the SID, masked.
    :param files: as they were published.
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.extractors import OperatorLineage

    inputs = [Dataset(namespace=f"twilio-comms://{account}", name=resource) for resource in map(str, resources)]
    return OperatorLineage(inputs=inputs, outputs=[_output(file) for file in files.values()])


def _output(file: Mapping[str, Any]) -> Any:
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

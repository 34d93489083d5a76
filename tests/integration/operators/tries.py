"""Tries of a task: an operator's `execute` with what Airflow gives it, one process after the other."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class FileStore:
    """Airflow's task state store as a folder: what is in it outlives the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str, default: Any = None) -> Any:
        path = self.folder / f"{key}.json"
        return json.loads(path.read_text()) if path.exists() else default

    def set(self, key: str, value: Any) -> None:
        path = self.folder / f"{key}.json"
        path.with_suffix(".part").write_text(json.dumps(value))
        path.with_suffix(".part").replace(path)

    def delete(self, key: str) -> None:
        (self.folder / f"{key}.json").unlink(missing_ok=True)


@dataclass
class TaskInstance:
    """What a send reads of one."""

    try_number: int = 1
    dag_id: str = "newsletter"
    run_id: str = "manual__1"
    task_id: str = "send"
    map_index: int = -1
    xcoms: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value

    def xcom_pull(self, *, task_ids: str, key: str, map_indexes: int) -> Any:
        return self.xcoms.get(key)


def context(store: FileStore | None, **ti: Any) -> dict[str, Any]:
    """Return what Airflow hands to `execute`; without a store, as before Airflow 3.3."""
    known: dict[str, Any] = {"ti": TaskInstance(**ti)}
    return known if store is None else {**known, "task_state_store": store}


def try_once(operator: Any, store: FileStore | None = None, try_number: int = 1, **ti: Any) -> Mapping[str, Any]:
    """Run a try; return the XCom."""
    result: Mapping[str, Any] = operator.execute(context(store, try_number=try_number, **ti))
    return result

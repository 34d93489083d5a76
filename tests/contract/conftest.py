"""The contract file, and how an answer is held against it."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    import httpx

_FILE = Path(__file__).with_name("comms-v1.openapi.yaml")
_NAME = "urn:comms-v1"
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_formats = FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or bool(_DATE_TIME.fullmatch(value) and datetime.fromisoformat(value))


class Contract:
    """The part of the contract file that is about operations."""

    def __init__(self) -> None:
        self._document: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
        self._paths = {path: item["get"] for path, item in self._document["paths"].items() if "/Operations" in path}
        contents = Resource(contents=self._document, specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_NAME, contents)

    def answers(self) -> set[tuple[str, int]]:
        """Every path with every status that the contract gives it."""
        return {(path, int(status)) for path, item in self._paths.items() for status in item["responses"]}

    def parameters(self) -> set[tuple[str, str]]:
        """Every path with the name of every parameter that the contract gives it."""
        return {(path, self._name(given)) for path, item in self._paths.items() for given in item["parameters"]}

    def problems(self, path: str, answer: httpx.Response) -> list[str]:
        """Where an answer departs from the contract."""
        validator = Draft202012Validator(
            {"$ref": self._schema_of(path, answer.status_code)},
            registry=self._registry,
            format_checker=_formats,
        )
        found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json())]
        if answer.headers["content-type"] != "application/json":
            found.append(f"content-type: {answer.headers['content-type']}")
        return found

    def _schema_of(self, path: str, status: int) -> str:
        own = f"#/paths/{path.replace('/', '~1').replace('{', '%7B').replace('}', '%7D')}/get/responses/{status}"
        pointer = self._paths[path]["responses"][str(status)].get("$ref", own)
        return f"{_NAME}{pointer}/content/application~1json/schema"

    def _name(self, parameter: dict[str, Any]) -> str:
        _, _, name = parameter["$ref"].rpartition("/")
        return str(self._document["components"]["parameters"][name]["name"])


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()

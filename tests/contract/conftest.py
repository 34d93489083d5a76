"""The contract file, and how an answer is held against it."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
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
    """The contract file, by method and path such as ``GET /Emails/Operations``."""

    def __init__(self) -> None:
        self._document: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
        self._operations = {
            f"{method.upper()} {path}": operation
            for path, item in self._document["paths"].items()
            for method, operation in item.items()
        }
        contents = Resource(contents=self._document, specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_NAME, contents)

    def answers(self) -> set[tuple[str, int]]:
        """Every operation with every status that the contract gives it."""
        return {
            (name, int(status)) for name, operation in self._operations.items() for status in operation["responses"]
        }

    def parameters(self) -> set[tuple[str, str]]:
        """Every operation with the name of every parameter that the contract gives it."""
        return {
            (name, self._name(given))
            for name, operation in self._operations.items()
            for given in operation.get("parameters", ())
        }

    def requests(self) -> list[tuple[str, str, Any]]:
        """Twilio's examples of requests: the operation, the example's name, and its body."""
        return [
            (name, title, example["value"])
            for name, operation in self._operations.items()
            if "requestBody" in operation
            for title, example in operation["requestBody"]["content"]["application/json"]["examples"].items()
        ]

    def allows(self, name: str, body: Any) -> bool:
        """Whether a request's body keeps the contract."""
        pointer = f"{self._pointer(name)}/requestBody/content/application~1json/schema"
        return bool(self._validator(_NAME + pointer).is_valid(body))

    def problems(self, name: str, answer: httpx.Response) -> list[str]:
        """Where an answer departs from the contract."""
        response = self._operations[name]["responses"][str(answer.status_code)]
        pointer = response.get("$ref", f"{self._pointer(name)}/responses/{answer.status_code}")
        validator = self._validator(f"{_NAME}{pointer}/content/application~1json/schema")
        found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json())]
        found += [
            f"header {header} is missing" for header in response.get("headers", ()) if header not in answer.headers
        ]
        if answer.headers["content-type"] != "application/json":
            found.append(f"content-type: {answer.headers['content-type']}")
        return found

    @cache  # noqa: B019 - one contract lives as long as the tests
    def _validator(self, reference: str) -> Draft202012Validator:
        return Draft202012Validator({"$ref": reference}, registry=self._registry, format_checker=_formats)

    def _pointer(self, name: str) -> str:
        method, path = name.split()
        escaped = path.replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
        return f"#/paths/{escaped}/{method.lower()}"

    def _name(self, parameter: dict[str, Any]) -> str:
        _, _, name = parameter["$ref"].rpartition("/")
        return str(self._document["components"]["parameters"][name]["name"])


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()

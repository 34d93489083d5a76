"""What a caller hands in: types with bounds, and errors that name the field at fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, validate_call
from pydantic_core import PydanticCustomError

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

#: The largest number taken; as seconds, 31 years.
MAX_NUMBER = 1_000_000_000
Seconds = Annotated[float, Field(strict=True, ge=0, le=MAX_NUMBER, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0, le=MAX_NUMBER)]
Switch = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(min_length=1)]


def check(is_good: Callable[[Any], object], problem: str, code: str = "refused") -> Callable[[Any], Any]:
    """A validator that refuses what is not good, with a problem and its code."""

    def validate(given: Any) -> Any:
        if not is_good(given):
            raise PydanticCustomError(code, problem)
        return given

    return validate


#: How the API wants a date and time.
rfc_3339 = check(
    re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII).fullmatch,
    "must be a date and time as in RFC 3339, such as 2026-01-31T08:00:00Z",
)


class FieldError(ValueError):
    """
    A value the simulator cannot use.

    :param field: the name of the argument or JSON field.
    :param problem: what is wrong with it.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class Model(BaseModel):
    """Named values, checked; what cannot be used raises :class:`FieldError`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _field_error(error, ", ".join(type(self).model_fields)) from None


def checked(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """A function whose arguments are checked against their types; a wrong one raises :class:`FieldError`."""
    validated = validate_call(function)

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        try:
            return validated(*args, **kwargs)
        except ValidationError as error:
            raise _field_error(error, "those of the method") from None

    return call


def _field_error(error: ValidationError, known: str) -> FieldError:
    first = error.errors(include_url=False, include_input=False)[0]
    raised = first.get("ctx", {}).get("error")
    if isinstance(raised, FieldError):
        return raised
    problem = f"unknown field; known are {known}" if first["type"] == "extra_forbidden" else first["msg"]
    return FieldError(str(first["loc"][0]) if first["loc"] else "body", problem)

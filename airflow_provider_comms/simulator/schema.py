"""JSON objects as Twilio's specification writes them: open or closed, and of exactly one of several forms."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from airflow_provider_comms.simulator.fields import check

SOME = Annotated[str, Field(min_length=1)]
_is_not_empty = check(lambda given: given.model_fields_set, "must have at least one property")


def optional(kind: Any) -> tuple[Any, None]:
    """A property that may be left out."""
    return kind, None


def an_object(**properties: Any) -> Any:
    """An object of these properties, and perhaps of others; a ``_`` at the end of a name only keeps Python content."""
    return _object("ignore", properties)


def closed(**properties: Any) -> Any:
    """An object of these properties alone."""
    return _object("forbid", properties)


def _object(extra: Literal["ignore", "forbid"], properties: dict[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name.rstrip("_"): given if isinstance(given, tuple) else (given, ...) for name, given in properties.items()
    }
    return create_model("Object", __config__=ConfigDict(strict=True, extra=extra), **fields)


def some_of(**properties: Any) -> Any:
    """A closed object of at least one of these properties."""
    return Annotated[
        closed(**{name: optional(kind) for name, kind in properties.items()}), AfterValidator(_is_not_empty)
    ]


def one_of(**forms: Any) -> Any:
    """An object of exactly one of several forms, each told by a key that it has."""
    return Annotated[Any, _OneOf(forms)]


class _OneOf(NamedTuple):
    forms: dict[str, Any]

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.tagged_union_schema(
            {f"<{key}>": handler.generate_schema(form) for key, form in self.forms.items()},
            self._tag,
            custom_error_type="one_of",
            custom_error_message=f"must have either {' or '.join(self.forms)}",
        )

    def _tag(self, given: Any) -> str | None:
        """The form's key in brackets, by which errors tell it from the keys of the body."""
        keys = [key for key in self.forms if key in given] if isinstance(given, dict) else []
        is_one = len({id(self.forms[key]) for key in keys}) == 1
        return f"<{keys[0]}>" if is_one else None

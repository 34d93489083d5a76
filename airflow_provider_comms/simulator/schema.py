"""JSON objects as Twilio's specification writes them: open or closed, and of exactly one of several forms."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field
from pydantic.alias_generators import to_camel

Given = TypeVar("Given", bound=BaseModel)
Some = Annotated[str, Field(min_length=1)]


class Object(BaseModel):
    """A JSON object that may have fields nobody knows."""

    model_config = ConfigDict(strict=True, alias_generator=to_camel)


class Closed(Object):
    """A JSON object that may not."""

    model_config = ConfigDict(extra="forbid")


def one_of(**forms: str) -> Discriminator:
    """
    Tell the forms of an object apart by the keys that it has; exactly one form must fit.

    :param forms: for each key the tag of its form, such as ``<address>``; errors leave tags out by their brackets.
    """

    def form(given: Any) -> str | None:
        found = {forms[key] for key in forms if key in given} if isinstance(given, dict) else set()
        return found.pop() if len(found) == 1 else None

    expected = " or ".join(forms)
    return Discriminator(form, custom_error_type="one_of", custom_error_message=f"must have either {expected}")


def is_not_empty(given: Given) -> Given:
    """Check that an object has a property."""
    if not given.model_fields_set:
        raise ValueError("must have at least one property")
    return given

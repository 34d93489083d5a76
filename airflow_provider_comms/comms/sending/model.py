"""How an object of the API's JSON is described: pydantic, with the API's own names, nothing unknown."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A JSON object of the API's, with the API's names."""

    # Strict: what is checked is what is sent, and pydantic would take "true" for True, or bytes for a text.
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        # Some limit: only then does pydantic refuse half of a surrogate pair in every text.
        str_max_length=10**9,
    )


class NotEmpty(Model):
    """A JSON object of which no single field is required, but one of them is."""

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("is empty")
        return self


Text = Annotated[str, Field(min_length=1)]


def tag(name: str) -> Tag:
    """Name a branch of a union. The angle brackets tell it from a field's name, see `problems`."""
    return Tag(f"<{name}>")


def by_field(default: str, **branches: str) -> Discriminator:
    """
    Choose the branch of a union by a field that only it has.

    :param default: the branch of what has none of these fields.
    :param branches: field to branch; the first that is there decides.
    """

    def branch_of(value: Any) -> str:
        given = value if isinstance(value, dict) else {}
        return next((f"<{branch}>" for name, branch in branches.items() if name in given), f"<{default}>")

    return Discriminator(branch_of)

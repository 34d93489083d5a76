"""What the lists of the API can be asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from airflow_provider_comms.simulator.fields import check, rfc_3339
from airflow_provider_comms.simulator.identifiers import PREFIX, ULID
from airflow_provider_comms.simulator.responses import bad_request

_TAG = "[a-zA-Z0-9._~-]+"
_whole_number = check(re.compile(r"[+-]?[0-9]{1,18}").fullmatch, "must be a whole number from 1 to 1000")
_Date = Annotated[AwareDatetime, BeforeValidator(rfc_3339)]
_ItemStatus = Literal["SCHEDULED", "QUEUED", "SENT", "DELIVERED", "UNDELIVERED", "FAILED", "CANCELED", "INBOUND"]


class Query(BaseModel):
    """A list's parameters; those it does not know are ignored, as the API does."""

    model_config = ConfigDict(alias_generator=to_camel)

    start_date: _Date | None = None
    end_date: _Date | None = None
    status: str | None = None
    page_size: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=1000)] = 50
    page_token: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """The parameters of a decoded query; a :class:`.BadRequest` with every problem that it has."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise bad_request(error) from None

    def others(self) -> tuple[tuple[str, str], ...]:
        """The filters that only this list has, by name."""
        given = self.model_dump(exclude=set(Query.model_fields), exclude_none=True)
        return tuple(sorted(given.items()))


class OperationsQuery(Query):
    """What ``GET /.../Operations`` takes."""

    status: Literal["SCHEDULED", "PROCESSING", "COMPLETED", "CANCELED"] | None = None


class _ItemsQuery(Query):
    operation_id: Annotated[str, Field(pattern=f"^{PREFIX}{ULID}")] | None = None
    tags: Annotated[str, Field(pattern=rf"^(?:{_TAG}:{_TAG};){{1,10}}$")] | None = None


class EmailsQuery(_ItemsQuery):
    """What ``GET /Emails`` takes."""

    status: Literal[_ItemStatus, "OPENED"] | None = None


class MessagesQuery(_ItemsQuery):
    """What ``GET /Messages`` takes."""

    status: Literal[_ItemStatus, "READ", "GROUP"] | None = None
    channel: Literal["SMS", "RCS", "WHATSAPP"] | None = None
    profile: Annotated[str, Field(pattern=f"^mem_profile_{ULID}")] | None = None
    session_id: Annotated[str, Field(pattern=r"^comms_session_[a-hjkmnpqrstv-z0-9]{26,34}")] | None = None

    @field_validator("end_date")
    @classmethod
    def _check_order(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start: datetime | None = info.data.get("start_date")
        if end and start and end <= start:
            raise ValueError("must be greater than startDate")
        return end

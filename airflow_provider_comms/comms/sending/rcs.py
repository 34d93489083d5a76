"""What an RCS message can hold: text, a file or cards, with suggestions below."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from airflow_provider_comms.comms.sending.checks import date_time
from airflow_provider_comms.comms.sending.model import Model, NotEmpty, Text, by_field, tag


class ContentInfo(Model):
    """A file."""

    file_url: str
    thumbnail_url: str | None = None
    force_refresh: bool | None = None


class RcsMedia(Model):
    """A file in a card."""

    content_info: ContentInfo
    height: Literal["TALL", "MEDIUM", "SHORT"] | None = None


class Reply(Model):
    """A reply to tap on."""

    text: Text
    postback_data: Text


class DialAction(Model):
    """Calls a number."""

    phone_number: str


class OpenUrlAction(Model):
    """Opens a page."""

    url: str
    application: Literal["BROWSER", "WEBVIEW"] | None = None
    webview_view_mode: Literal["FULL", "HALF", "TALL"] | None = None


class LatLong(Model):
    """A place."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class ViewLocationAction(NotEmpty):
    """Shows a place."""

    lat_long: LatLong | None = None
    label: str | None = None
    query: str | None = None


class CreateCalendarEventAction(Model):
    """Makes an entry in a calendar."""

    start_time: Annotated[str, AfterValidator(date_time)]
    end_time: Annotated[str, AfterValidator(date_time)]
    title: Text
    description: Text


class ShareLocationAction(Model):
    """Sends where the recipient is."""


class Action(Model):
    """Something to tap on that does one of these."""

    text: Text
    postback_data: Text
    dial_action: DialAction | None = None
    open_url_action: OpenUrlAction | None = None
    view_location_action: ViewLocationAction | None = None
    create_calendar_event_action: CreateCalendarEventAction | None = None
    share_location_action: ShareLocationAction | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if len(self.model_fields_set) != len(("text", "postback_data", "the action")):
            raise ValueError("does not name exactly one action")
        return self


class SuggestedReply(Model):
    """A reply to tap on."""

    reply: Reply


class SuggestedAction(Model):
    """An action to tap on."""

    action: Action


Suggestion = Annotated[
    Annotated[SuggestedReply, tag("reply")] | Annotated[SuggestedAction, tag("action")],
    by_field("reply", reply="reply", action="action"),
]
Suggestions = Annotated[list[Suggestion], Field(max_length=11)]


class CardContent(NotEmpty):
    """A card."""

    title: Text | None = None
    description: Text | None = None
    media: RcsMedia | None = None
    suggestions: Annotated[list[Suggestion], Field(max_length=4)] | None = None


class CarouselCard(Model):
    """Cards beside each other."""

    card_width: Literal["SMALL", "MEDIUM"] | None = None
    card_contents: Annotated[list[CardContent], Field(min_length=2, max_length=10)]


class StandaloneCard(Model):
    """One card."""

    card_orientation: Literal["HORIZONTAL", "VERTICAL"] | None = None
    thumbnail_image_alignment: Literal["LEFT", "RIGHT"] | None = None
    card_content: CardContent


class Carousel(Model):
    """A rich card of several."""

    carousel_card: CarouselCard


class Standalone(Model):
    """A rich card of one."""

    standalone_card: StandaloneCard


class RcsText(Model):
    """Text."""

    text: Text
    suggestions: Suggestions | None = None


class RcsFile(Model):
    """A file."""

    content_info: ContentInfo
    suggestions: Suggestions | None = None


class RcsCard(Model):
    """A card, or several."""

    rich_card: Annotated[
        Annotated[Carousel, tag("carouselCard")] | Annotated[Standalone, tag("standaloneCard")],
        by_field("standaloneCard", carouselCard="carouselCard", standaloneCard="standaloneCard"),
    ]
    suggestions: Suggestions | None = None


RcsContent = Annotated[
    Annotated[RcsText, tag("text")] | Annotated[RcsFile, tag("contentInfo")] | Annotated[RcsCard, tag("richCard")],
    by_field("text", text="text", contentInfo="contentInfo", richCard="richCard"),
]
"""One of three."""

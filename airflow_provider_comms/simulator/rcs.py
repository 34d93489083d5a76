"""The RCS module of a message: a text, a file or cards, with suggestions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Tag

from airflow_provider_comms.simulator.schema import Closed, Object, Some, is_not_empty, one_of


class _Reply(Object):
    text: Some
    postback_data: Some


class _ReplySuggestion(Object):
    reply: _Reply


class _Dial(Object):
    phone_number: str


class _OpenUrl(Object):
    url: str
    application: Literal["BROWSER", "WEBVIEW"] = "BROWSER"
    webview_view_mode: Literal["FULL", "HALF", "TALL"] = "FULL"


class _Place(Object):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class _ViewLocation(Closed):
    lat_long: _Place = Field(default_factory=_Place.model_construct)
    label: str = ""
    query: str = ""


class _CalendarEvent(Object):
    start_time: datetime
    end_time: datetime
    title: Some
    description: Some


class _DialAction(_Reply):
    dial_action: _Dial


class _OpenUrlAction(_Reply):
    open_url_action: _OpenUrl


class _ViewLocationAction(_Reply):
    view_location_action: Annotated[_ViewLocation, AfterValidator(is_not_empty)]


class _CalendarEventAction(_Reply):
    create_calendar_event_action: _CalendarEvent


class _ShareLocationAction(_Reply):
    share_location_action: Closed


class _ActionSuggestion(Object):
    action: Annotated[
        Annotated[_DialAction, Tag("<dial>")]
        | Annotated[_OpenUrlAction, Tag("<url>")]
        | Annotated[_ViewLocationAction, Tag("<view>")]
        | Annotated[_CalendarEventAction, Tag("<event>")]
        | Annotated[_ShareLocationAction, Tag("<share>")],
        one_of(
            dialAction="<dial>",
            openUrlAction="<url>",
            viewLocationAction="<view>",
            createCalendarEventAction="<event>",
            shareLocationAction="<share>",
        ),
    ]


_Suggestion = Annotated[
    Annotated[_ActionSuggestion, Tag("<action>")] | Annotated[_ReplySuggestion, Tag("<reply>")],
    one_of(action="<action>", reply="<reply>"),
]


class _File(Object):
    file_url: str
    thumbnail_url: str = ""
    force_refresh: bool = False


class _Media(Object):
    content_info: _File
    height: Literal["TALL", "MEDIUM", "SHORT"] = "MEDIUM"


class _CardContent(Closed):
    title: Some = ""
    description: Some = ""
    media: _Media = Field(default_factory=_Media.model_construct)
    suggestions: Annotated[list[_Suggestion], Field(max_length=4)] = Field(default_factory=list)


_Card = Annotated[_CardContent, AfterValidator(is_not_empty)]


class _Carousel(Object):
    card_width: Literal["SMALL", "MEDIUM"] = "MEDIUM"
    card_contents: Annotated[list[_Card], Field(min_length=2, max_length=10)]


class _Standalone(Object):
    card_orientation: Literal["HORIZONTAL", "VERTICAL"] = "VERTICAL"
    thumbnail_image_alignment: Literal["LEFT", "RIGHT"] = "RIGHT"
    card_content: _Card


class _CarouselCard(Object):
    carousel_card: _Carousel


class _StandaloneCard(Object):
    standalone_card: _Standalone


class _Suggesting(Object):
    suggestions: Annotated[list[_Suggestion], Field(max_length=11)] = Field(default_factory=list)


class _TextForm(_Suggesting):
    text: Some


class _FileForm(_Suggesting):
    content_info: _File


class _CardForm(_Suggesting):
    rich_card: Annotated[
        Annotated[_CarouselCard, Tag("<carousel>")] | Annotated[_StandaloneCard, Tag("<standalone>")],
        one_of(carouselCard="<carousel>", standaloneCard="<standalone>"),
    ]


Rcs = Annotated[
    Annotated[_TextForm, Tag("<text>")] | Annotated[_FileForm, Tag("<file>")] | Annotated[_CardForm, Tag("<card>")],
    one_of(text="<text>", contentInfo="<file>", richCard="<card>"),
]

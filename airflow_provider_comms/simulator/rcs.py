"""The RCS module of a message: a text, a file or cards, with suggestions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, conlist

from airflow_provider_comms.simulator.schema import SOME, an_object, closed, one_of, optional, some_of


def _action(**action: Any) -> Any:
    return an_object(text=SOME, postbackData=SOME, **action)


_PLACE = an_object(
    latitude=Annotated[float, Field(ge=-90, le=90)],
    longitude=Annotated[float, Field(ge=-180, le=180)],
)
_OPEN_URL = an_object(
    url=str,
    application=optional(Literal["BROWSER", "WEBVIEW"]),
    webviewViewMode=optional(Literal["FULL", "HALF", "TALL"]),
)
_EVENT = an_object(startTime=datetime, endTime=datetime, title=SOME, description=SOME)
_SUGGESTION = one_of(
    action=an_object(
        action=one_of(
            dialAction=_action(dialAction=an_object(phoneNumber=str)),
            openUrlAction=_action(openUrlAction=_OPEN_URL),
            viewLocationAction=_action(viewLocationAction=some_of(latLong=_PLACE, label=str, query=str)),
            createCalendarEventAction=_action(createCalendarEventAction=_EVENT),
            shareLocationAction=_action(shareLocationAction=closed()),
        )
    ),
    reply=an_object(reply=an_object(text=SOME, postbackData=SOME)),
)
_FILE = an_object(fileUrl=str, thumbnailUrl=optional(str), forceRefresh=optional(bool))
_CARD = some_of(
    title=SOME,
    description=SOME,
    media=an_object(contentInfo=_FILE, height=optional(Literal["TALL", "MEDIUM", "SHORT"])),
    suggestions=conlist(_SUGGESTION, max_length=4),
)
_CAROUSEL = an_object(
    cardWidth=optional(Literal["SMALL", "MEDIUM"]),
    cardContents=conlist(_CARD, min_length=2, max_length=10),
)
_STANDALONE = an_object(
    cardOrientation=optional(Literal["HORIZONTAL", "VERTICAL"]),
    thumbnailImageAlignment=optional(Literal["LEFT", "RIGHT"]),
    cardContent=_CARD,
)
_RICH_CARD = one_of(
    carouselCard=an_object(carouselCard=_CAROUSEL),
    standaloneCard=an_object(standaloneCard=_STANDALONE),
)
_SUGGESTIONS = optional(conlist(_SUGGESTION, max_length=11))

RCS = one_of(
    text=an_object(text=SOME, suggestions=_SUGGESTIONS),
    contentInfo=an_object(contentInfo=_FILE, suggestions=_SUGGESTIONS),
    richCard=an_object(richCard=_RICH_CARD, suggestions=_SUGGESTIONS),
)

"""A report as one HTML file: no script, no request to anywhere, some tens of kilobytes whatever was summed up."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import pendulum
from jinja2 import Environment, StrictUndefined

from airflow_provider_comms.reports.figures import NOT_REACHED, engagement
from airflow_provider_comms.reports.rates import percent, ratio
from airflow_provider_comms.reports.words import ITEMS, counted, number, statuses, verdict

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping
    from datetime import datetime

    from jinja2 import Template

    from airflow_provider_comms.reports.summary import Summaries, Summary, Worst
    from airflow_provider_comms.reports.window import Window
    from airflow_provider_comms.xcoms import ReportFile

CHART_HEIGHT = 100.0
_LEAST_HEIGHT = 0.8
"""How high a bar is at least that is not 0, of 100."""
_STACK = ("reached", "in_progress", "not_reached")
"""From the bottom of a bar to its top."""
_STEPS = {"hours": "hour", "days": "day", "months": "month", "years": "year"}
_WORDS = {
    "recipients": "Recipients",
    "reached": "Reached",
    "opened": "Opened",
    "read": "Read",
    "not_reached": "Not reached",
    "failed": "Failed at Twilio",
    "undelivered": "Undelivered",
    "unaddressable": "Unaddressable",
    "canceled": "Canceled",
    "in_progress": "In progress",
}


def render(summaries: Summaries, files: Mapping[str, ReportFile]) -> str:
    """
    Return the report's page.

    :param files: of rows, as they were published.
    """
    return _template().render(
        title=f"Twilio Comms, {summaries.window}",
        state=_state(summaries),
        verdict=verdict(summaries).replace(" %", "\u00a0%"),
        window=summaries.window,
        account=summaries.account,
        as_of=_written(summaries.as_of, summaries.window),
        notes=summaries.notes,
        sections=[_section(summary, summaries.window) for summary in summaries.of.values()],
        files=[_file(form, file) for form, file in files.items()],
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    # Escaping is off by default in jinja2, and ids and statuses come from outside.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = resources.files(__package__).joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source)


def _state(summaries: Summaries) -> dict[str, str]:
    if summaries.broken:
        return {"name": "bad", "mark": "✕", "word": "Threshold broken"}
    if summaries.notes:
        return {"name": "open", "mark": "!", "word": "Preliminary or incomplete"}
    return {"name": "good", "mark": "✓", "word": "Complete"}


def _section(summary: Summary, window: Window) -> dict[str, object]:
    figures, rates = summary.figures, summary.rates()
    shown = summary.as_json()
    return {
        "resource": summary.resource.value,
        "name": f"{ITEMS[summary.resource].capitalize()}s",
        "operations": counted(summary.operations, "operation"),
        "is_empty": not summary.operations,
        "statuses": statuses(shown["by_status"]),
        "funnel": _funnel(summary, rates),
        "parts": [_bar(name, figures, "recipients", rates) for name in NOT_REACHED if figures[name]],
        "step": _STEPS[summary.buckets.step],
        "engaged": _WORDS[engagement(summary.resource)],
        "chart": _chart(summary),
        "worst": [_worst(one, window) for one in summary.worst()],
        "more": _more(summary),
        "stats": [(name, number(value)) for name, value in shown["stats"].items()],
    }


def _funnel(summary: Summary, rates: Mapping[str, float | None]) -> list[dict[str, object]]:
    engaged, figures = engagement(summary.resource), summary.figures
    bars = [_bar(name, figures, "recipients", rates) for name in ("recipients", "reached")]
    bars.append(_bar(engaged, figures, "reached", rates))
    return bars + [_bar(name, figures, "recipients", rates) for name in ("in_progress", "not_reached")]


def _bar(name: str, figures: Mapping[str, int], whole: str, rates: Mapping[str, float | None]) -> dict[str, object]:
    share = ratio(figures[name], figures["recipients"]) or 0.0
    return {
        "kind": name,
        "name": _WORDS[name],
        "count": number(figures[name]),
        "share": "" if name == "recipients" else percent(rates[f"{name}_of_{whole}"]),
        "whole": "" if name == "recipients" else f"of the {whole}",
        "width": f"{min(100.0, max(0.0, share * 100)):.2f}",
    }


def _chart(summary: Summary) -> dict[str, object] | None:
    labels = summary.buckets.labels()
    tallest = max(_height(bucket) for bucket in summary.series)
    if not tallest:
        return None
    columns = [
        _column(place, label, bucket, tallest)
        for place, (label, bucket) in enumerate(zip(labels, summary.series, strict=True))
    ]
    ticks = [labels[0], labels[len(labels) // 2], labels[-1]] if labels[2:] else labels
    return {"columns": columns, "count": len(columns), "tallest": number(tallest), "ticks": ticks}


def _column(place: int, label: str, bucket: Counter[str], tallest: int) -> dict[str, object]:
    bottom, bars = CHART_HEIGHT, []
    for name in _STACK:
        height = (ratio(bucket[name], tallest) or 0.0) * CHART_HEIGHT
        height = max(height, _LEAST_HEIGHT) if bucket[name] else 0.0
        bottom -= height
        bars.append({"kind": name, "y": f"{max(bottom, 0):.2f}", "height": f"{height:.2f}"})
    cells = {name: number(bucket[name]) for name in ("operations", "recipients", *_STACK, "opened", "read")}
    said = ", ".join(f"{cells[name]} {_WORDS[name].lower()}" for name in _STACK)
    return {"x": f"{place + 0.1:.1f}", "label": label, "bars": bars, "said": f"{label}: {said}", **cells}


def _height(bucket: Counter[str]) -> int:
    return sum(bucket[name] for name in _STACK)


def _worst(one: Worst, window: Window) -> dict[str, str]:
    return {
        "id": one.id,
        "share": percent(one.share),
        "not_reached": number(one.not_reached),
        "recipients": number(one.recipients),
        "created_at": _written(one.created_at, window, "YYYY-MM-DD HH:mm"),
        "status": one.status,
    }


def _more(summary: Summary) -> str:
    return f"The {summary.top} with the greatest share." if len(summary.worst()) == summary.top else ""


def _file(form: str, file: ReportFile) -> dict[str, str]:
    return {"format": form, "uri": file["uri"], "rows": number(file["rows"]), "bytes": number(file["bytes"])}


def _written(at: datetime, window: Window, form: str = "YYYY-MM-DD HH:mm:ss Z") -> str:
    return pendulum.instance(at).in_timezone(window.timezone).format(form)

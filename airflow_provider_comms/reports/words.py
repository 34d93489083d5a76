"""A report in words: one sentence, a few lines of text, the same as Markdown, and how numbers are written."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports.figures import engagement
from airflow_provider_comms.reports.rates import percent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from airflow_provider_comms.reports.summary import Summaries, Summary
    from airflow_provider_comms.reports.window import Window

_LONGEST_NUMBER = 10**12
_MAX_LINES = 2
_MAX_TEXT = 200


ITEMS = {Resource.EMAILS: "e-mail", Resource.MESSAGES: "message"}
"""What one of a resource is called."""


def number(value: int) -> str:
    """Write a whole number with thousands separators; one of more than 12 digits as a power of ten."""
    return f"{value:,}" if abs(value) < _LONGEST_NUMBER else f"{Decimal(value):.2e}"


def counted(count: int, noun: str) -> str:
    """Write `1 operation`, `7 operations`."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def notes_on(window: Window, summaries: Mapping[Resource, Summary], now: datetime) -> list[str]:
    """
    Return what makes a report incomplete or preliminary, a sentence each.

    :param now: when the listing began; aware.
    """
    notes = []
    if window.reaches_past_retention(now):
        notes.append(
            "The window begins more than 7 days ago: Twilio keeps operations for 7 days, so older ones may be missing."
        )
    if window.end > now:
        notes.append("The window is not over yet: more operations may be created in it.")
    for resource, summary in summaries.items():
        if summary.unfinished:
            have = "has" if summary.unfinished == 1 else "have"
            whole = counted(summary.operations, f"{ITEMS[resource]} operation")
            notes.append(f"{number(summary.unfinished)} of {whole} {have} not ended yet.")
        if summary.unreadable:
            notes.append(f"{summary.unreadable}.")
    return notes


def verdict(summaries: Summaries) -> str:
    """Return the report in one sentence."""
    said = "; ".join(_verdict_on(summary) for summary in summaries.of.values())
    said = f"{said[:1].upper()}{said[1:]}"
    if summaries.broken:
        said += f". Threshold broken: {'; '.join(summaries.broken)}"
    return f"{said}."


def _verdict_on(summary: Summary) -> str:
    figure, what = summary.figures, ITEMS[summary.resource]
    if not summary.operations:
        return f"no {what} operations"
    if not figure["recipients"]:
        return f"{what}s: no recipients in {counted(summary.operations, 'operation')}"
    rates = summary.rates()
    share = percent(rates["reached_of_recipients"])
    parts = [f"{what}s: {number(figure['reached'])} of {counted(figure['recipients'], 'recipient')} reached ({share})"]
    for name, word in (("not_reached", "not reached"), ("in_progress", "in progress")):
        if figure[name]:
            parts.append(f"{number(figure[name])} {word} ({percent(rates[f'{name}_of_recipients'])})")
    return ", ".join(parts)


def text(summaries: Summaries) -> str:
    """Return the report in a few lines of plain text, for a mail or a message."""
    return "\n".join(_cut(line) for line in _lines(summaries, strong="", item="- "))


def markdown(summaries: Summaries) -> str:
    """Return the report in a few lines of Markdown; names that come from outside are not in it."""
    return "\n".join(_cut(line) for line in _lines(summaries, strong="**", item="* "))


def _lines(summaries: Summaries, strong: str, item: str) -> list[str]:
    lines = [f"{strong}Twilio Comms, {summaries.window}{strong}"]
    for summary in summaries.of.values():
        said = _verdict_on(summary)
        lines.append(f"{item}{strong}{said[:1].upper()}{said[1:]}{strong}")
        if further := summary.figures[engagement(summary.resource)]:
            name = engagement(summary.resource)
            share = percent(summary.rates()[f"{name}_of_reached"])
            lines[-1] += f"; {number(further)} {name} ({share} of the reached)"
        if summary.operations:
            lines[-1] += f"; {counted(summary.operations, 'operation')}"
    lines += [f"{item}Threshold broken: {broken}" for broken in _few(summaries.broken)]
    lines += [f"{item}{note}" for note in _few(summaries.notes)]
    return lines


def _few(lines: list[str]) -> list[str]:
    more = len(lines) - _MAX_LINES
    return [*lines[:_MAX_LINES], f"... and {more} more."] if more > 0 else lines


def _cut(line: str) -> str:
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 1]}…"


def statuses(counts: Mapping[str, int]) -> str:
    """Return counts by status on one line, such as `7 COMPLETED, 1 PROCESSING`."""
    return ", ".join(f"{number(count)} {status}" for status, count in counts.items()) or "none"

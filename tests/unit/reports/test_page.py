"""The page of a report."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from airflow_provider_comms.comms.resource import Resource
from airflow_provider_comms.reports import words
from airflow_provider_comms.reports.page import render
from airflow_provider_comms.reports.summary import Summaries, Summary
from airflow_provider_comms.reports.window import window_of
from tests.unit.reports.operations import START, WINDOW, message, operation, parts

EVIL = "<script>alert(1)</script>"


def summaries(emails=(), messages=(), window=WINDOW, **more):
    of = {}
    for resource, operations in ((Resource.EMAILS, emails), (Resource.MESSAGES, messages)):
        of[resource] = Summary(resource, window.buckets, 20)
        for one in operations:
            of[resource].add(*parts(one))
    notes = words.notes_on(window, of, window.end)
    return Summaries(window, "connection comms, account AC…12ab", window.end, of, notes, **more)


class Tags(HTMLParser):
    """What a browser makes of a page: its elements, balanced."""

    void = ("meta", "rect", "br")

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.void:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


CASES = {
    "nothing": summaries(),
    "one": summaries([operation(1)]),
    "no recipients": summaries([operation(1, total=0, recipients=0)], [message(1, total=0)]),
    "absurd": summaries([operation(1, total=10**400, recipients=10**400, delivered=5), operation(2)], [message(3)]),
    "evil": summaries([operation(1, EVIL, total=1, recipients=1, failed=1, **{EVIL: 5})], broken=[EVIL]),
    "many": summaries([operation(n, at=START + timedelta(minutes=n % 1440)) for n in range(5000)]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_whole_small_and_asks_nobody_for_anything(case):
    page = render(case, {"jsonl": {"uri": f"s3://bucket/{EVIL}", "rows": 1, "bytes": 10**6}})
    tags = Tags(page)

    assert len(page) < 40_000
    names = {name for name, _ in tags.seen}
    assert not names & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert not [attribute for _, attributes in tags.seen for attribute in attributes if attribute in ("src", "href")]
    assert "url(" not in page
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert "nan" not in tags.text.lower().replace("unan", "")


def test_what_comes_from_outside_is_text():
    page = render(CASES["evil"], {})

    assert EVIL not in page
    assert EVIL in Tags(page).text


@pytest.mark.parametrize("case", ["nothing", "no recipients"])
def test_no_picture_is_drawn_of_nothing(case):
    assert "<svg" not in render(CASES[case], {})


def test_every_picture_has_its_numbers_in_a_table():
    page = render(CASES["many"], {})
    tags = Tags(page)

    labels = [attributes["aria-label"] for name, attributes in tags.seen if name == "svg"]
    assert labels == ["Recipients reached, in progress and not reached by hour; the table below has the numbers."]
    hours = re.findall(r'<tr><th scope="row">(11-20 \d\d:00)</th><td>(\d+)</td>', page)
    assert sum(int(count) for _, count in hours) == 5000
    assert len(hours) == 24


def test_bars_stay_in_the_picture():
    for case in CASES.values():
        for y, height in re.findall(r'y="([\d.]+)" width="0.8" height="([\d.]+)"', render(case, {})):
            assert 0 <= float(y) <= 100
            assert float(y) + float(height) < 102


@pytest.mark.parametrize(
    ("case", "word"),
    [
        (summaries([operation(1)]), "Complete"),
        (summaries([operation(1, "PROCESSING")]), "Preliminary or incomplete"),
        (summaries([operation(1)], broken=["failed = 1 (10.0 %), above the limit of 2 %"]), "Threshold broken"),
    ],
)
def test_its_first_line_says_what_to_think_of_it(case, word):
    assert word in render(case, {})


def test_times_are_those_of_the_reports_zone():
    window = window_of("2026-11-20", "2026-11-21", "Asia/Tokyo")
    page = render(summaries([operation(1, at=START)], window=window), {})

    assert "2026-11-20 00:00 to 2026-11-21 00:00 Asia/Tokyo" in page
    assert "2026-11-20 09:00" in page  # Of the operation created at midnight UTC.


def test_the_same_sums_make_the_same_page():
    assert render(CASES["many"], {}) == render(CASES["many"], {})


def test_words():
    one = summaries([operation(1), operation(2, "PROCESSING", total=10, recipients=10, queued=10)], [])

    assert words.verdict(one) == (
        "E-mails: 9 of 20 recipients reached (45.0 %), 1 not reached (5.0 %), 10 in progress (50.0 %); "
        "no message operations."
    )
    assert words.text(one).splitlines() == [
        "Twilio Comms, 2026-11-20 00:00 to 2026-11-21 00:00 UTC",
        "- E-mails: 9 of 20 recipients reached (45.0 %), 1 not reached (5.0 %), 10 in progress (50.0 %); 2 operations",
        "- No message operations",
        "- 1 of 2 e-mail operations has not ended yet.",
    ]
    assert words.markdown(one).startswith("**Twilio Comms, 2026-11-20")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_words_are_few_whatever_is_summed_up(case):
    assert len(words.text(case)) < 1200


def test_numbers():
    assert [words.number(n) for n in (0, 1234567, -5, 10**12, 10**5000)] == [
        "0",
        "1,234,567",
        "-5",
        "1.00e+12",
        "1.00e+5000",
    ]

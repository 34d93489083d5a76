"""
The docs are true: their snippets run, and the tables that code knows better are made from it.

`python -m tests.unit.test_docs` writes these tables.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_comms.cli.exits import Exit
from airflow_provider_comms.comms import errors
from airflow_provider_comms.hooks.fields import EXTRAS, STANDARD

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"<!-- (\w+): begin -->\n.*?<!-- \1: end -->", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def extras_table():
    lines = ["| name | is | default | from | to |", "|---|---|---|---|---|"]
    for name, field in EXTRAS.items():
        bounds = ("" if one is None else one for one in (field.default, field.minimum, field.maximum))
        lines.append(f"| `{name}` | {field.help} | {' | '.join(map(str, bounds))} |")
    return lines


def fields_table():
    lines = ["| field | shown as | in Twilio's console | example |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {field.label} | {field.where} | {field.example} |" for name, field in STANDARD.items()]
    return lines


def exits_table():
    return ["| status | when |", "|---|---|", *(f"| {int(one)} | {one.meaning} |" for one in Exit)]


def errors_table():
    lines = ["| error | when | may pass | what to do |", "|---|---|---|---|"]
    for error in _tree(errors.CommsError):
        when = error.__doc__.strip().splitlines()[0].rstrip(".")
        passes = "yes" if error.transient else "no"
        lines.append(f"| `{error.__name__}` | {when} | {passes} | {error.default_advice} |")
    return lines


def _tree(error):
    for child in error.__subclasses__():
        if child.__module__ != error.__module__:  # The poll's own, which no client raises.
            continue
        yield child
        yield from _tree(child)


TABLES = {
    "fields": fields_table,
    "extras": extras_table,
    "errors": errors_table,
    "exits": exits_table,
}


def with_tables(text):
    def table(match):
        name = match[1]
        if name.startswith("scale_"):
            return match[0]  # The benchmarks write and check these.
        return "\n".join([f"<!-- {name}: begin -->", *TABLES[name](), f"<!-- {name}: end -->"])

    return TABLE.sub(table, text)


def snippets():
    for page in PAGES:
        for number, code in enumerate(SNIPPET.findall(page.read_text()), 1):
            yield pytest.param(code, id=f"{page.name}-{number}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_code(page):
    assert page.read_text() == with_tables(page.read_text()), "write them again: python -m tests.unit.test_docs"


@pytest.mark.parametrize("code", list(snippets()))
def test_every_snippet_runs(code, comms_simulator, monkeypatch, tmp_path):
    comms_simulator.add_operation("emails", age=3600)
    monkeypatch.setenv("AIRFLOW_CONN_TWILIO_COMMS_DEFAULT", comms_simulator.connection_json())
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", comms_simulator.account_sid)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", comms_simulator.auth_token)
    monkeypatch.setenv("COMMS_BASE_URL", comms_simulator.url)
    # Airflow finds the source of a task in its file.
    script = tmp_path / "snippet.py"
    script.write_text(code)
    exec(compile(code, str(script), "exec"), {"__name__": "snippet", "__file__": str(script)})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page):
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


if __name__ == "__main__":
    for one in PAGES:
        one.write_text(with_tables(one.read_text()))

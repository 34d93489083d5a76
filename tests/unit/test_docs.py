"""
The docs are true: their snippets run, and the tables that code knows better are made from it.

`python -m tests.unit.test_docs` writes these tables.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.unit.docs_tables import documented_parameters, is_templated, operators, with_tables

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# Files of an example, which tests/integration/test_testing.py runs, have a comment with their name before them.
SNIPPET = re.compile(r"(?<!-->\n)^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


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


def test_every_page_is_in_the_contents_of_the_site():
    index = (ROOT / "docs" / "index.md").read_text()
    named = {line for contents in re.findall(r"```{toctree}\n(.*?)```", index, re.DOTALL) for line in contents.split()}
    assert {page.stem for page in PAGES if page.parent == ROOT / "docs"} - named == {"index"}


def test_the_readme_shows_the_log_that_the_quickstart_has_from_a_real_run():
    shown = re.search(r"```text\n(PROCESSING.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    assert f"<!-- log: wait -->\n```text\n{shown}```" in (ROOT / "docs" / "quickstart.md").read_text()


RENAMED = {"output": "output_folder", "dry_run": "is_dry_run"}
"""Arguments that stand in `template_fields` under another name, for Airflow has an attribute of theirs."""


@pytest.mark.parametrize("operator", list(operators()), ids=lambda operator: operator.__name__)
def test_what_is_said_to_be_templated_is(operator):
    documented = documented_parameters(operator)
    said = {RENAMED.get(name, name) for name, meaning in documented.items() if is_templated(meaning)}
    assert said <= set(operator.template_fields)
    # What is rendered and not said to be is content for Twilio's own templates, which Airflow's leave alone.
    assert {name for name in set(operator.template_fields) - said if "Liquid" not in documented[name]} <= {"modules"}


def test_the_docs_of_the_simulator_name_every_control_request():
    from airflow_provider_comms.simulator.control import ROUTES

    page = (ROOT / "docs" / "simulator.md").read_text()
    assert re.findall(r"^\| `(\w+) /control/(.*?)` \|", page, re.MULTILINE) == list(ROUTES)


COMMAND = re.compile(
    r"^(?:\$ )?.*?(?:airflow comms|python -m airflow_provider_comms(?P<simulator>\.simulator)?) (?P<line>\w.*|--.*)"
)
IN_CODE = re.compile(r"^```(?:bash|console)\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)


def commands():
    """Return the command lines of ours that the docs show, in blocks and in sentences."""
    for page in PAGES:
        code = "\n".join(block or inline for block, inline in IN_CODE.findall(page.read_text()))
        for line in code.replace("\\\n", " ").splitlines():
            if found := COMMAND.search(line):
                yield pytest.param(found["simulator"], found["line"], id=f"{page.name}-{found['line']}")


@pytest.mark.parametrize(("simulator", "line"), list(commands()))
def test_every_command_line_is_understood(simulator, line):
    from airflow_provider_comms.cli.parser import COMMANDS, parser
    from airflow_provider_comms.simulator.__main__ import parser as simulator_parser

    if line in {command.name for command in COMMANDS} or re.search(r"\b[A-Z]{2,}\b", line.partition(" --status")[0]):
        return  # A sentence names it, or what is to be put in.
    words = shlex.split(re.split(r" [|>&]|\)$", line)[0], comments=True)
    (simulator_parser if simulator else parser)().parse_args(words)


def test_every_make_target_and_script_that_the_docs_name_is_there():
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        code = "\n".join(block or inline for block, inline in IN_CODE.findall(page.read_text()))
        targets = {
            word for line in re.findall(r"^make ((?:[a-z][a-z-]* ?)+)", code, re.MULTILINE) for word in line.split()
        }
        assert {one for one in targets if f"\n{one}:" not in makefile} == set(), page.name
        scripts = re.findall(r"(?<![\w/])\.ci/[\w-]+(?:\.py)?", code)
        tests = re.findall(r"(?<![\w/])tests/[\w/]+(?:\.py)?", code)
        assert {one for one in scripts + tests if not (ROOT / one).exists()} == set(), page.name


if __name__ == "__main__":
    for one in PAGES:
        one.write_text(with_tables(one.read_text()))

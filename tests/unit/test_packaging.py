"""What the project says of itself in several places is the same in all of them."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import airflow_provider_comms
from airflow_provider_comms.get_provider_info import get_provider_info

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def pythons():
    named = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", one) for one in PROJECT["classifiers"])
    return [one[1] for one in named if one]


def airflows():
    """Return the Airflows that there are tested sets of versions for, the oldest first."""
    names = {path.stem.removeprefix("airflow-") for path in (ROOT / "constraints").glob("airflow-*.txt")} - {"lowest"}
    return sorted(names, key=lambda name: tuple(map(int, name.split("."))))


def versions_table():
    rows = re.findall(r"^\| (\d[\d.]+) \| ([\d., ]+) \|", (ROOT / "docs" / "versions.md").read_text(), re.MULTILINE)
    return {airflow: python.split(", ") for airflow, python in rows}


def test_the_pythons_are_the_same_everywhere():
    matrix = (ROOT / ".ci" / "matrix").read_text()
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert re.search(r"PYTHONS:-([^}]*)", matrix)[1].split() == [f"python{one}" for one in pythons()]
    assert re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.*)\]", workflow)[1]) == pythons()
    assert versions_table()["3.3"] == pythons()
    assert PROJECT["requires-python"] == f">={pythons()[0]}"


def test_the_airflows_are_the_same_everywhere():
    matrix = (ROOT / ".ci" / "matrix").read_text()
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert re.search(r"ALL=\(lowest (.*)\)", matrix)[1].split() == airflows()
    assert re.findall(r'"([\d.]+)"', re.search(r"airflow: \[(.*)\]", workflow)[1]) == airflows()
    assert sorted(versions_table()) == airflows()
    assert f"apache-airflow>={airflows()[0]}.0" in PROJECT["dependencies"]
    supported = (
        f"Airflow {airflows()[0]} and {airflows()[1]} to {airflows()[-1]}, Python {pythons()[0]} to {pythons()[-1]}"
    )
    assert supported in (ROOT / "README.md").read_text()


def test_the_documented_pythons_of_an_old_airflow_are_those_of_the_matrix():
    excluded = re.search(r'case "\$1-\$2" in (.*?)\)', (ROOT / ".ci" / "matrix").read_text())[1]
    for airflow, documented in versions_table().items():
        assert documented == [one for one in pythons() if f"{airflow}-python{one}" not in excluded]


def test_airflow_finds_the_provider_by_its_entry_point():
    found = [
        one for one in entry_points(group="apache_airflow_provider") if one.value.startswith("airflow_provider_comms.")
    ]
    assert [one.load()() for one in found] == [get_provider_info()]


def test_the_provider_is_described_by_the_name_and_version_of_the_distribution():
    info = get_provider_info()
    assert info["package-name"] == PROJECT["name"]
    assert info["versions"][0] == airflow_provider_comms.__version__


def test_the_changelog_has_the_version_and_what_comes_next():
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == airflow_provider_comms.__version__
    assert airflow_provider_comms.__version__ in headings


def test_the_changelog_is_grouped_as_keep_a_changelog_has_it():
    groups = re.findall(r"^### (.*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert set(groups) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    unreleased = (ROOT / "CHANGELOG.md").read_text().partition("## Unreleased")[2].partition("\n## ")[0]
    assert len(re.findall(r"^### ", unreleased, re.MULTILINE)) == len(
        set(re.findall(r"^### .*", unreleased, re.MULTILINE))
    )
    assert unreleased.lstrip().startswith("### "), "a line under Unreleased belongs to a group"

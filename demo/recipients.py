"""The recipients' files: people who do not exist."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {"emails": 2500, "messages": 800}
FIRST_NAMES = ("Ada", "Bob", "Carol", "Dan", "Erin")
CITIES = ("Tallinn", "Riga", "Vilnius")


def write_recipients(folder: Path) -> dict[str, str]:
    """Write a file of recipients for each resource, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    return {resource: _write(folder / f"{resource}.csv", resource, count) for resource, count in COUNTS.items()}


def _write(path: Path, resource: str, count: int) -> str:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["address", "first_name", "city"])
        for number in range(count):
            rows.writerow([_address(resource, number), FIRST_NAMES[number % 5], CITIES[number % 3]])
    return str(path)


def _address(resource: str, number: int) -> str:
    return f"reader{number:04}@example.com" if resource == "emails" else f"+1555010{number:04}"
